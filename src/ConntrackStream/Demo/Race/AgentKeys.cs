using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Service.Demo.Race;

/// <summary>
/// The keys that the agent's cleaner takes for alive: derived from one dump of the kernel's table, its own way (CleanupConntrackMap). The
/// original tuple, owned by source and by destination; and, where the destination was translated, the same to the address it was translated
/// to.
/// </summary>
internal static class AgentKeys
{
    /// <param name="copy">The map's keys: which interfaces an owner has is known from them.</param>
    internal static HashSet<MapKey> Derive(ConntrackClient table, FlowBatchPool pool, IEnumerable<MapKey> copy, FlowFamily family)
    {
        ILookup<IpAddress, uint> interfaces =
            copy.Select(key => (key.Owner, key.InterfaceIndex)).Distinct().ToLookup(pair => pair.Owner, pair => pair.InterfaceIndex);
        HashSet<MapKey> keys = [];
        table.Dump(
            family,
            pool,
            batch =>
            {
                foreach (ref readonly FlowEvent row in batch.Span)
                    Add(keys, row.Flow, interfaces);
                batch.Release();
            },
            CancellationToken.None);
        return keys;
    }

    private static void Add(HashSet<MapKey> keys, in Flow flow, ILookup<IpAddress, uint> interfaces)
    {
        FlowTuple tuple = flow.Original;
        tuple.Zone = 0;
        if (tuple.Protocol is not (IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Sctp))
            (tuple.SourcePort, tuple.DestinationPort) = (0, 0);
        AddOwned(keys, tuple, interfaces);
        if (tuple.Destination == flow.Reply.Source)
            return;
        tuple.Destination = flow.Reply.Source;
        tuple.DestinationPort = tuple.DestinationPort == 0 ? (ushort)0 : flow.Reply.SourcePort;
        AddOwned(keys, tuple, interfaces);
    }

    private static void AddOwned(HashSet<MapKey> keys, in FlowTuple tuple, ILookup<IpAddress, uint> interfaces)
    {
        foreach (IpAddress owner in (ReadOnlySpan<IpAddress>)[tuple.Source, tuple.Destination])
        {
            foreach (uint index in interfaces[owner])
                keys.Add(new MapKey(tuple, owner, index));
        }
    }
}
