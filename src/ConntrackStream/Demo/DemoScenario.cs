using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.Service.Demo;

/// <summary>
/// A throw-away gateway with real traffic to watch. Nothing outside of it changes, and it is gone with this object or with the process,
/// however that ends. Order of use: <see cref="Create"/>, start a tap in <see cref="Gateway"/>, <see cref="RunTrafficAsync"/>,
/// <see cref="SettleAsync"/>, compare, <see cref="IDisposable.Dispose"/>.
/// </summary>
internal sealed class DemoScenario : IDisposable
{
    private static readonly TimeSpan SettleInterval = TimeSpan.FromMilliseconds(250);

    private readonly DemoNetwork _network;
    private readonly DemoTraffic _traffic;
    private readonly TimeProvider _time;

    private DemoScenario(DemoNetwork network, TimeProvider time)
    {
        _network = network;
        _time = time;
        _traffic = new DemoTraffic(DemoPlan.For(network), time);
    }

    /// <summary>The namespace with the conntrack table to watch.</summary>
    internal NetworkNamespace Gateway => _network.Gateway.Namespace;

    /// <summary>Index of the gateway's interface to the client.</summary>
    internal uint ClientInterface => _network.ClientInterface;

    /// <summary>The flows <see cref="RunTrafficAsync"/> makes, in this order.</summary>
    internal IReadOnlyList<DemoFlow> Plan => _traffic.Plan;

    /// <summary>How many of them are open until the scenario is disposed.</summary>
    internal int StayOpen => Plan.Count(flow => flow.End == DemoEnd.StayOpen);

    /// <summary>Makes the namespaces, links, tracking and NAT; some 20 ms.</summary>
    /// <exception cref="NetlinkException">What could not be made, and why; EPERM names the capability.</exception>
    internal static DemoScenario Create(TimeProvider time) => new(new DemoNetwork(), time);

    /// <summary>Makes all flows, one after another; well under a second.</summary>
    /// <exception cref="IOException">A flow failed; the message names it.</exception>
    /// <exception cref="TimeoutException">A flow hung; the message names it.</exception>
    internal Task RunTrafficAsync(CancellationToken cancellationToken) => _traffic.RunAsync(cancellationToken);

    /// <summary>
    /// Waits until the flows that are over have left the table, about a second after the last one. The kernel's own collection of expired
    /// entries may take a minute; a dump collects them at once.
    /// </summary>
    /// <returns>False when some are still there after <paramref name="patience"/>.</returns>
    internal async Task<bool> SettleAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        using ConntrackClient client = Gateway.Run(() => new ConntrackClient());
        FlowBatchPool pool = new();
        long start = _time.GetTimestamp();
        while (true)
        {
            client.Dump(FlowFamily.Unspecified, pool, batch => batch.Release(), cancellationToken);
            if (client.Count() <= StayOpen)
                return true;
            if (_time.GetElapsedTime(start) >= patience)
                return false;
            await Task.Delay(SettleInterval, _time, cancellationToken);
        }
    }

    public void Dispose()
    {
        _traffic.Dispose();
        _network.Dispose();
    }
}
