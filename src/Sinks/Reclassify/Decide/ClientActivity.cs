using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Reclassify.Decide;

/// <summary>
/// Does a flow's client still send? A deleted entry comes back by its client's next packet; one of the server, if it comes first, makes the gateway
/// reset the server, and the client hears nothing. Told by the original direction's counters between two looks.
/// </summary>
internal struct ClientActivity
{
    private const ulong BusyAcknowledging = 8; // a transfer under way: the next acknowledgement comes at once

    private ulong _packets, _bytes;

    /// <summary>There is a look to compare with.</summary>
    internal bool IsKnown { get; private set; }

    internal static ClientActivity Of(in Flow flow) => new() { _packets = flow.OriginalPackets, _bytes = flow.OriginalBytes, IsKnown = true };

    /// <param name="now">A later look at the same flow.</param>
    /// <returns>Why its client is idle; null when it sends.</returns>
    internal readonly string? IdleUntil(in ClientActivity now, FlowFamily family, IpProtocol protocol)
    {
        if (now._packets <= _packets) // less: they were set to 0 in between (conntrack -z), and the next two looks tell
            return "its client has sent nothing for a second";
        ulong packets = now._packets - _packets;
        ulong largestEmpty = family == FlowFamily.IPv6 ? 100u : 80u; // IP and TCP headers with all options that an acknowledgement has
        return protocol == IpProtocol.Tcp && packets < BusyAcknowledging && now._bytes - _bytes <= packets * largestEmpty
            ? "its client only acknowledges what the server sends"
            : null;
    }
}
