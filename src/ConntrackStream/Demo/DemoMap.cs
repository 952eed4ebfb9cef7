using System.Net;
using System.Net.Sockets;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.MapCleaning.Ebpf;
using ConntrackStream.Sinks.MapCleaning.Map;
using static ConntrackStream.Service.Demo.DemoAddresses;

namespace ConntrackStream.Service.Demo;

/// <summary>
/// An eBPF map as the AWS agent on the gateway would keep one, with the entries of the client as if that were a pod. Not pinned: held by
/// this object's descriptor, it cannot outlive the process.
/// </summary>
internal sealed class DemoMap : IDisposable
{
    private const string Layout = "aws-npa-ipv4-key24-value16";
    private const int Capacity = 1024;

    private readonly EbpfFlowMap _map;
    private readonly uint _clientInterface;
    private readonly TimeProvider _time;
    private readonly List<MapKey> _live = [], _stale = [];

    /// <summary>An empty map.</summary>
    /// <param name="clientInterface">Index of the gateway's interface to the client.</param>
    /// <exception cref="FlowMapException">EPERM: not permitted.</exception>
    internal DemoMap(uint clientInterface, TimeProvider time)
    {
        _clientInterface = clientInterface;
        _time = time;
        _map = EbpfFlowMap.Create(Layout, Capacity, "demo_conntrack");
        try
        {
            Open().Dispose();
        }
        catch
        {
            _map.Dispose();
            throw;
        }
    }

    /// <summary>Entries made.</summary>
    internal int Entries => _live.Count + _stale.Count;

    /// <summary>The map for the delete stage, by its id.</summary>
    internal IFlowMap Open() =>
        EbpfFlowMap.Open(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"id:{_map.Info.Id}"), forDeleting: true);

    /// <summary>Makes the entries of flows that stay open. Before the first audit: whose entries the map has is learnt by that.</summary>
    internal void AddOpen(IReadOnlyList<DemoFlow> plan) => Add(_live, plan.Where(static flow => flow.End == DemoEnd.StayOpen));

    /// <summary>
    /// Makes those of flows that end, and one born orphan: its first packet was dropped behind the agent's hook, so no flow ever was or
    /// will be. After the first audit: what is stale by then waits far longer, as nobody has seen its flow end.
    /// </summary>
    internal void AddEnding(IReadOnlyList<DemoFlow> plan)
    {
        Add(_stale, ProtocolType.Tcp, new IPEndPoint(Client4, DemoPlan.FirstSourcePort - 1), new IPEndPoint(Server4, 443));
        Add(_stale, plan.Where(static flow => flow.End != DemoEnd.StayOpen));
    }

    /// <summary>What is in the map now.</summary>
    internal (int LiveLeft, int LiveGone, int StaleLeft) Count()
    {
        int live = _live.Count(IsThere), stale = _stale.Count(IsThere);
        return (live, _live.Count - live, stale);
    }

    public void Dispose() => _map.Dispose();

    private bool IsThere(MapKey key) => _map.TryLookup(key, out _);

    /// <summary>
    /// IPv4 flows of the client, as the hook at its interface sees the packets: before source NAT, after destination NAT.
    /// </summary>
    private void Add(List<MapKey> keys, IEnumerable<DemoFlow> flows)
    {
        foreach (DemoFlow flow in flows)
        {
            if (flow.Source.Address.Equals(Client4))
                Add(keys, flow.Protocol, flow.Source, flow.Dialled);
            else if (flow.Listener.Address.Equals(Client4))
                Add(keys, flow.Protocol, flow.Source, flow.Listener);
        }
    }

    private void Add(List<MapKey> keys, ProtocolType protocol, IPEndPoint source, IPEndPoint destination)
    {
        IpProtocol number = (IpProtocol)protocol;
        bool hasPorts = !MapKeys.IsShared(number);
        FlowTuple tuple = new()
        {
            Family = FlowFamily.IPv4,
            Protocol = number,
            Source = IpAddress.From(source.Address),
            Destination = IpAddress.From(destination.Address),
            SourcePort = hasPorts ? (ushort)source.Port : (ushort)0,
            DestinationPort = hasPorts ? (ushort)destination.Port : (ushort)0,
        };
        MapKey key = new(tuple, IpAddress.From(Client4), _clientInterface);
        _map.Insert(key, new MapValue(1, (ulong)(_time.GetTimestamp() * (1e9 / _time.TimestampFrequency))));
        keys.Add(key);
    }
}
