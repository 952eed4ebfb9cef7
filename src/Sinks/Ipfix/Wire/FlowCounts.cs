using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Ipfix.Wire;

/// <summary>Packets and bytes (layer 3) of both directions; 0 where the kernel does not count.</summary>
internal readonly record struct FlowCounts(ulong OriginalPackets, ulong OriginalBytes, ulong ReplyPackets, ulong ReplyBytes)
{
    internal static FlowCounts Of(in Flow flow) => new(flow.OriginalPackets, flow.OriginalBytes, flow.ReplyPackets, flow.ReplyBytes);

    /// <summary>What was counted since; all of it where a counter has been reset in between (conntrack -L -z).</summary>
    internal FlowCounts Since(in FlowCounts earlier) => new(
        Difference(OriginalPackets, earlier.OriginalPackets),
        Difference(OriginalBytes, earlier.OriginalBytes),
        Difference(ReplyPackets, earlier.ReplyPackets),
        Difference(ReplyBytes, earlier.ReplyBytes));

    private static ulong Difference(ulong now, ulong earlier) => now >= earlier ? now - earlier : now;
}
