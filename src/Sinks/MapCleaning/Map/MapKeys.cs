using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.MapCleaning.Map;

/// <summary>
/// Which keys a kernel flow can have in an eBPF map. A hook writes the tuple of the packet it sees: of either direction, before or after
/// translation. So a key is alive when its tuple is the original or the reply tuple of a live flow, as it is or inverted, in any zone (keys
/// have none). A masqueraded NodePort flow, SNAT and DNAT at once, lives under the inverse of its reply tuple alone. Each tuple may be
/// there for two owners, source and destination, and for several interfaces.
/// </summary>
public static class MapKeys
{
    /// <summary>Most tuples a flow has: original and reply, each with its inverse.</summary>
    public const int MaxTuples = 4;

    /// <summary>
    /// Keys of the protocol carry no ports, so that all its flows between two addresses share one key, which is alive while any of them is.
    /// </summary>
    public static bool IsShared(IpProtocol protocol) => protocol is not (IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Sctp);

    /// <summary>The tuples, as <see cref="MapKey.Tuple"/> has them, under which the flow can be in a map; each once.</summary>
    /// <param name="flow">Its original tuple, and its reply tuple if that is known.</param>
    /// <param name="tuples">Room for <see cref="MaxTuples"/>.</param>
    /// <returns>How many: two without translation, four with.</returns>
    public static int Tuples(in Flow flow, Span<FlowTuple> tuples)
    {
        int count = 0;
        if (flow.Has(FlowFields.Original))
            AddBoth(flow.Original, tuples, ref count);
        if (flow.Has(FlowFields.Reply))
            AddBoth(flow.Reply, tuples, ref count);
        return count;
    }

    /// <summary>The tuple of packets the other way, as a key has it: zone 0, and ports 0 where keys are shared.</summary>
    public static FlowTuple Inverse(in FlowTuple tuple)
    {
        FlowTuple inverse = AsKey(tuple);
        (inverse.Source, inverse.Destination) = (inverse.Destination, inverse.Source);
        (inverse.SourcePort, inverse.DestinationPort) = (inverse.DestinationPort, inverse.SourcePort);
        return inverse;
    }

    /// <summary>One name for a tuple and its inverse: whichever is smaller, by source, source port.</summary>
    public static FlowTuple Canonical(in FlowTuple tuple)
    {
        int order = tuple.Source.High.CompareTo(tuple.Destination.High);
        if (order == 0)
            order = tuple.Source.Low.CompareTo(tuple.Destination.Low);
        if (order == 0)
            order = tuple.SourcePort.CompareTo(tuple.DestinationPort);
        return order <= 0 ? AsKey(tuple) : Inverse(tuple);
    }

    private static FlowTuple AsKey(in FlowTuple tuple)
    {
        FlowTuple key = tuple;
        key.Zone = 0;
        if (IsShared(tuple.Protocol))
            key.SourcePort = key.DestinationPort = 0; // ICMP's type, code and id, GRE's call ids
        return key;
    }

    private static void AddBoth(in FlowTuple tuple, Span<FlowTuple> tuples, ref int count)
    {
        Add(AsKey(tuple), tuples, ref count);
        Add(Inverse(tuple), tuples, ref count);
    }

    private static void Add(in FlowTuple tuple, Span<FlowTuple> tuples, ref int count)
    {
        if (!tuples[..count].Contains(tuple))
            tuples[count++] = tuple;
    }
}
