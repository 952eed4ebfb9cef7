using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Archive.Verify;

/// <summary>What is kept of a flow between its records.</summary>
internal struct OpenFlow(in Flow flow, int restarts)
{
    private readonly int _original = flow.Original.GetHashCode(), _reply = flow.Reply.GetHashCode();
    private ulong _originalPackets, _originalBytes, _replyPackets, _replyBytes;

    /// <summary>Restarts before its latest record.</summary>
    internal int Restarts = restarts;

    internal readonly bool IsSame(in Flow flow) => flow.Original.GetHashCode() == _original && flow.Reply.GetHashCode() == _reply;

    /// <returns>The counter that is lower than it was; null for none.</returns>
    internal string? Count(in Flow flow)
    {
        string? fell = null;
        if (flow.Has(FlowFields.OriginalCounters))
        {
            fell = Take(ref _originalPackets, flow.OriginalPackets, "packets of the original direction", fell);
            fell = Take(ref _originalBytes, flow.OriginalBytes, "bytes of the original direction", fell);
        }

        if (flow.Has(FlowFields.ReplyCounters))
        {
            fell = Take(ref _replyPackets, flow.ReplyPackets, "packets of the reply direction", fell);
            fell = Take(ref _replyBytes, flow.ReplyBytes, "bytes of the reply direction", fell);
        }

        return fell;
    }

    private static string? Take(ref ulong known, ulong now, string name, string? fell)
    {
        if (now < known)
            fell ??= FormattableString.Invariant($"{name} fell from {known} to {now}");
        known = now;
        return fell;
    }
}
