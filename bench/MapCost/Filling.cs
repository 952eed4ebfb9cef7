using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.MapCleaning.Ebpf;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.MapCost;

/// <summary>A map as the agent would have it for the flows of this namespace: one key a flow, owned by its source.</summary>
internal static class Filling
{
    public const string Layout = "aws-npa-ipv4-key24-value1";

    private const int InterfaceIndex = 1; // lo: a match counts only if its interface is in the namespace
    private const int FurtherPorts = 1000; // more than the flows have source ports

    private static readonly MapValue Value = new(1, 0);

    /// <summary>Creates and pins a map with exactly so many entries.</summary>
    /// <param name="capacity">max_entries. An LRU map evicts before it is full, each CPU having a free list of its
    /// own: room to spare is needed.</param>
    /// <param name="stale">Of the entries, those without a flow.</param>
    public static void Create(string pin, uint capacity, int entries, int stale)
    {
        using EbpfFlowMap map = EbpfFlowMap.Create(Layout, capacity, "cs_bench");
        List<FlowTuple> flows = Flows(entries);
        for (int i = 0; i < entries; i++)
            map.Insert(i < stale ? Stale(flows[i], 1) : Key(flows[i]), Value);
        map.Pin(pin);
    }

    /// <summary>Adds keys without a flow, beside those of as many flows.</summary>
    /// <param name="generation">Another one gives other keys.</param>
    public static void AddStale(EbpfFlowMap map, int count, int generation)
    {
        foreach (FlowTuple flow in Flows(count))
            map.Insert(Stale(flow, generation), Value);
    }

    private static MapKey Key(in FlowTuple flow) => new(flow, flow.Source, InterfaceIndex);

    private static MapKey Stale(in FlowTuple flow, int generation) =>
        Key(flow with { SourcePort = (ushort)(flow.SourcePort + (generation * FurtherPorts)) });

    private static List<FlowTuple> Flows(int count)
    {
        List<FlowTuple> flows = new(count);
        using ConntrackClient client = new();
        client.Dump(
            FlowFamily.IPv4,
            new FlowBatchPool(),
            batch =>
            {
                foreach (ref readonly FlowEvent row in batch.Span)
                {
                    if (flows.Count < count)
                        flows.Add(row.Flow.Original);
                }

                batch.Release();
            },
            CancellationToken.None);
        return flows.Count == count ? flows : throw new InvalidOperationException($"{count} flows are needed, the table has {flows.Count}");
    }
}
