using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Fleet.Spool;

namespace ConntrackStream.Sinks.Fleet;

/// <summary>
/// Finds messages that are missing between two of the spool, and makes the gap that is sent in their place. Not thread-safe.
/// </summary>
internal sealed class LossRecord(SequencedWriter writer)
{
    private ulong _run;
    private ulong _last;
    private long _latest;

    /// <summary>What the spool had been acknowledged before: the first message must follow it.</summary>
    internal void StartAfter(in SpoolMark mark) => (_run, _last) = (mark.Run, mark.Last);

    /// <summary>The gap before a message, or the next of them; null where nothing (more) is missing.</summary>
    internal Message? Before(in FrameHeader next)
    {
        Message? loss = null;
        if (_run == next.Run && next.First > _last + 1)
            loss = Make(_run, _last + 1, next.First - 1, next.Latest);
        else if (_run != next.Run && _run != 0 && next.PreviousRun == _run && next.PreviousLast > _last)
            loss = Make(_run, _last + 1, next.PreviousLast, next.Latest);
        else if (_run != next.Run && _run != 0 && next.First > 1)
            loss = Make(next.Run, 1, next.First - 1, next.Latest);
        if (loss is not null && loss.Header.Run != next.Run)
            (_run, _last) = (next.Run, 0); // the begin of the new run may be missing, too
        else
            (_run, _last, _latest) = (next.Run, next.Last, next.Latest);
        return loss;
    }

    private Message Make(ulong run, ulong first, ulong last, long to)
    {
        FlowGap gap = new(FlowGapReason.SinkFailed, Math.Min(_latest, to), to, (long)(last - first + 1), Recovered: null);
        FlowChange change = new() { Kind = FlowChangeKind.Gap, Time = to, Gap = gap };
        byte[] frame = new byte[FrameHeader.Length + 4096];
        int length = FrameHeader.Length + writer.Write(frame.AsSpan(FrameHeader.Length), change, run, first, last);
        FrameHeader header = new(run, first, last, to, UnreportedFrom: 0, Made: to);
        return Message.Copy(frame.AsSpan(0, length), header, end: null, isLoss: true);
    }
}
