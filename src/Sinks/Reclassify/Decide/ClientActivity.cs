using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Reclassify.Decide;

/// <summary>
/// Does a flow's client send? A deleted entry comes back by its client's next packet; what the server sends before is lost. Seen by the
/// counters between two looks.
/// </summary>
internal struct ClientActivity
{
    private ulong _packets;

    /// <summary>There is a look to compare with.</summary>
    internal bool IsKnown { get; private set; }

    internal static ClientActivity Of(in Flow flow) => new() { _packets = flow.OriginalPackets, IsKnown = true };

    /// <param name="now">A later look at the same flow. Fewer packets: the counters were set to 0 in between (conntrack -z), and the next
    /// two looks show it.</param>
    internal readonly bool HasSentUntil(in ClientActivity now) => now._packets > _packets;
}
