using ConntrackStream.EventTap.Model;

namespace ConntrackStream.EventTap.Conntrack;

/// <summary>Decodes ctnetlink messages (linux/netfilter/nfnetlink_conntrack.h).</summary>
internal static class FlowDecoder
{
    /// <summary>Appends the flow of one whole netlink message (header included, exactly nlmsg_len bytes) to a batch that is not full.</summary>
    /// <param name="receivedAt">ns since the Unix epoch, used where the kernel gives no event time.</param>
    internal static DecodeResult Decode(ReadOnlySpan<byte> message, FlowBatch batch, long receivedAt) => DecodeResult.Ignored;
}
