using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Pipeline.Delete;

/// <summary>Between kernel flows and map keys.</summary>
internal static class MapKeys
{
    public const int MostTuples = 4;

    public static bool IsShared(IpProtocol protocol) => protocol is not (IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Sctp);

    public static FlowTuple Inverse(in FlowTuple tuple) => tuple with
    {
        Source = tuple.Destination,
        Destination = tuple.Source,
        SourcePort = tuple.DestinationPort,
        DestinationPort = tuple.SourcePort,
    };

    public static FlowTuple Canonical(in FlowTuple tuple)
    {
        FlowTuple key = Bare(tuple);
        FlowTuple inverse = Inverse(key);
        return Compare(key, inverse) <= 0 ? key : inverse;
    }

    public static int Tuples(in Flow flow, Span<FlowTuple> tuples)
    {
        int count = 0;
        Add(Bare(flow.Original), tuples, ref count);
        Add(Bare(flow.Reply), tuples, ref count);
        return count;
    }

    private static void Add(in FlowTuple tuple, Span<FlowTuple> tuples, ref int count)
    {
        if (tuples[..count].Contains(tuple))
            return;
        tuples[count++] = tuple;
        FlowTuple inverse = Inverse(tuple);
        if (!tuples[..count].Contains(inverse))
            tuples[count++] = inverse;
    }

    private static FlowTuple Bare(in FlowTuple tuple)
    {
        FlowTuple bare = tuple with { Zone = 0 };
        if (IsShared(tuple.Protocol))
            bare.SourcePort = bare.DestinationPort = 0;
        return bare;
    }

    private static int Compare(in FlowTuple a, in FlowTuple b)
    {
        int order = a.Source.High.CompareTo(b.Source.High);
        if (order == 0)
            order = a.Source.Low.CompareTo(b.Source.Low);
        return order != 0 ? order : a.SourcePort.CompareTo(b.SourcePort);
    }
}
