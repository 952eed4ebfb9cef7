using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Reclassify.Decide;

/// <summary>
/// Does a flow's client send, and is it its turn? A deleted entry comes back by its client's next packet; one of the server, if it comes first, makes the
/// gateway reset the server, and the client waits for ever (measured). Told by the counters between two looks.
/// </summary>
internal struct ClientActivity
{
    private const ulong Busy = 8; // packets of a transfer under way, acknowledgements included: the next one comes at once

    private Counts _original, _reply;

    /// <summary>There is a look to compare with.</summary>
    internal bool IsKnown { get; private set; }

    internal static ClientActivity Of(in Flow flow) => new()
    {
        _original = new Counts(flow.OriginalPackets, flow.OriginalBytes),
        _reply = new Counts(flow.ReplyPackets, flow.ReplyBytes),
        IsKnown = true,
    };

    /// <param name="now">A later look at the same flow.</param>
    /// <returns>Why its client is idle; null when it sends.</returns>
    internal readonly string? IdleUntil(in ClientActivity now, FlowFamily family, IpProtocol protocol)
    {
        if (now._original.Packets <= _original.Packets) // less: they were set to 0 in between (conntrack -z), and the next two looks tell
            return "its client sends nothing";
        if (protocol != IpProtocol.Tcp || now._original.Packets - _original.Packets >= Busy)
            return null;
        if (!now._original.HavePayloadSince(_original, family))
            return "its client only acknowledges what the server sends";
        return now._reply.HavePayloadSince(_reply, family) ? null : "its client waits for the server's answer";
    }

    private readonly record struct Counts(ulong Packets, ulong Bytes)
    {
        internal bool HavePayloadSince(Counts before, FlowFamily family)
        {
            ulong largestEmpty = family == FlowFamily.IPv6 ? 100u : 80u; // IP and TCP headers with all options that an acknowledgement has
            return Packets > before.Packets && Bytes - before.Bytes > (Packets - before.Packets) * largestEmpty;
        }
    }
}
