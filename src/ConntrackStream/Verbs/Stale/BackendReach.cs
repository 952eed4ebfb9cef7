using System.Diagnostics.CodeAnalysis;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Network;
using ConntrackStream.Sinks.Reclassify.Paths;

namespace ConntrackStream.Service.Verbs.Stale;

/// <summary>
/// Which backends can still be reached, by the kernel's own routes, interfaces and neighbours. A backend on a network of the machine's own
/// that is no neighbour, or one that has not answered before, is asked again (ARP, NDP) and given <see cref="Patience"/>: an idle backend
/// that lives answers. What lies behind a gateway counts as reachable, since nothing here shows otherwise.
/// </summary>
internal sealed class BackendReach : IDisposable
{
    /// <summary>Backends kept at most; further ones count as reachable.</summary>
    internal const int MostBackends = 65_536;

    private const int MostAsked = 512; // at a time: half of the neighbours that the kernel keeps by default (gc_thresh3)

    /// <summary>The kernel asks three times, a second apart (mcast_solicit, retrans_time_ms).</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(50);

    private readonly Dictionary<Backend, BackendVerdict> _verdicts = [];
    private readonly Dictionary<(FlowFamily Family, int Interface, IpAddress Address), List<Backend>> _neighbours = [];
    private readonly RouteQuestions _routes;
    private readonly NeighbourTable _table;
    private readonly TimeProvider _time;

    /// <exception cref="NetlinkException">The kernel cannot be asked.</exception>
    internal BackendReach(NetworkNamespace networkNamespace, TimeProvider time)
    {
        _routes = networkNamespace.Run(static () => new RouteQuestions());
        _table = new NeighbourTable(networkNamespace);
        _time = time;
    }

    /// <summary>Backends that were left out, since there are too many.</summary>
    internal long LeftOut { get; private set; }

    public void Dispose()
    {
        _routes.Dispose();
        _table.Dispose();
    }

    /// <summary>Asks for the route to a flow's backend, once for each backend.</summary>
    /// <exception cref="NetlinkException">The kernel cannot be asked.</exception>
    internal void Add(in Flow flow)
    {
        Backend backend = Backend.Of(flow);
        if (_verdicts.ContainsKey(backend))
            return;
        if (_verdicts.Count >= MostBackends)
        {
            LeftOut++;
            return;
        }

        _verdicts.Add(backend, Judge(backend, _routes.Lookup(backend.Family, backend.Address, backend.Mark)));
    }

    /// <summary>Asks the neighbours in question, and waits for them.</summary>
    /// <exception cref="NetlinkException">The kernel cannot be asked.</exception>
    internal async Task AskNeighboursAsync(CancellationToken cancellation)
    {
        foreach ((FlowFamily Family, int Interface, IpAddress Address)[] some in _neighbours.Keys.ToArray().Chunk(MostAsked))
            await AskAsync(some, cancellation).ConfigureAwait(false);
    }

    /// <summary>Whether a flow leads nowhere, and why.</summary>
    /// <exception cref="NetlinkException">The kernel cannot be asked.</exception>
    internal bool IsStale(in Flow flow, [NotNullWhen(true)] out string? reason)
    {
        Backend backend = Backend.Of(flow);
        BackendVerdict verdict = _verdicts.GetValueOrDefault(backend);
        reason = verdict.Reason;
        if (reason is null || !verdict.NeedsSource)
            return reason is not null;
        RouteAnswer answer = _routes.Lookup(backend.Family, backend.Address, backend.Mark, flow.Original.Source);
        return !answer.Leads && answer.Kind != RouteKind.Local;
    }

    private BackendVerdict Judge(Backend backend, RouteAnswer route)
    {
        if (!route.Leads && route.Kind != RouteKind.Local)
            return new BackendVerdict(WithoutRoute(route), NeedsSource: true);
        if (!route.Leads)
            return default;
        if (_table.Link(route.Interface) is not { } link)
            return new BackendVerdict($"the interface of its route (index {route.Interface}) does not exist");
        if (link.Problem is { } problem)
            return new BackendVerdict($"its interface {link.Name} {problem}");
        if (route.Kind == RouteKind.Direct)
        {
            (FlowFamily, int, IpAddress) neighbour = (backend.Family, route.Interface, backend.Address);
            if (!_neighbours.TryGetValue(neighbour, out List<Backend>? of))
                _neighbours.Add(neighbour, of = []);
            of.Add(backend);
        }

        return default;
    }

    private static string WithoutRoute(RouteAnswer route) => route.Kind switch
    {
        RouteKind.Prohibit => "its route is of type prohibit",
        RouteKind.Blackhole => "its route is of type blackhole",
        _ => $"there is no route to it ({(route.Errno == Errno.None ? Errno.ENETUNREACH : route.Errno)})",
    };

    private async Task AskAsync((FlowFamily Family, int Interface, IpAddress Address)[] neighbours, CancellationToken cancellation)
    {
        HashSet<(FlowFamily Family, int Interface, IpAddress Address)> open = [.. neighbours];
        Settle(open, isFirst: true);
        foreach ((FlowFamily family, int device, IpAddress address) in open)
            _table.Use(device, family, address);
        long began = _time.GetTimestamp();
        while (open.Count > 0 && _time.GetElapsedTime(began) < Patience)
        {
            await Task.Delay(LookInterval, _time, cancellation).ConfigureAwait(false);
            Settle(open, isFirst: false);
        }
    }

    /// <summary>Takes out those whose state decides. Before they were asked, only a known one does.</summary>
    private void Settle(HashSet<(FlowFamily Family, int Interface, IpAddress Address)> open, bool isFirst)
    {
        foreach (FlowFamily family in open.Select(static one => one.Family).Distinct().ToArray())
        {
            Dictionary<(int Interface, IpAddress Address), NeighbourState> states = _table.Read(family);
            foreach ((FlowFamily Family, int Interface, IpAddress Address) one in open.Where(one => one.Family == family).ToArray())
            {
                NeighbourState state = states.GetValueOrDefault((one.Interface, one.Address));
                if (state == NeighbourState.Failed && !isFirst)
                    Fail(one);
                if (state == NeighbourState.Known || (state == NeighbourState.Failed && !isFirst))
                    open.Remove(one);
            }
        }
    }

    private void Fail((FlowFamily Family, int Interface, IpAddress Address) neighbour)
    {
        string device = _table.Link(neighbour.Interface) is { } link ? link.Name : $"index {neighbour.Interface}";
        foreach (Backend backend in _neighbours[neighbour])
            _verdicts[backend] = new BackendVerdict($"its neighbour entry on {device} is FAILED: it does not answer");
    }
}
