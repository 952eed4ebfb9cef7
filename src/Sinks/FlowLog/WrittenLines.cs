using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>
/// What the counters need of each line in a <see cref="RecordBuffer"/> once it is written: one number a line, in a reused array.
/// </summary>
internal sealed class WrittenLines(FlowLogCounters counters)
{
    private long[] _lines = new long[256]; // the time of an event, or -1 minus the reason of a gap, or 0

    /// <summary>A line has been put into the buffer.</summary>
    /// <param name="at">Its place.</param>
    internal void Note(int at, in FlowChange change)
    {
        if (at == _lines.Length)
            Array.Resize(ref _lines, at * 2);
        _lines[at] = change.Gap is { } gap ? -1 - (long)gap.Reason : IsOfItsTime(change) ? change.Time : 0;
    }

    /// <summary>The first lines have been written.</summary>
    /// <param name="all">Lines in the buffer before.</param>
    /// <param name="now">ns since the Unix epoch.</param>
    internal void Written(int count, int all, long now)
    {
        foreach (long line in _lines.AsSpan(0, count))
        {
            if (line > 0)
                counters.Latency.Observe(now - line);
            else if (line < 0)
                counters.Gaps.Count((FlowGapReason)(-1 - line));
        }

        if (count < all)
            _lines.AsSpan(count, all - count).CopyTo(_lines);
    }

    /// <summary>
    /// The record came about with the event whose time it bears. One that a dump made did not, nor the start of a flow of which the DESTROY
    /// is all that was seen.
    /// </summary>
    private static bool IsOfItsTime(in FlowChange change) =>
        change.Origin == FlowOrigin.Event && !(change.Kind == FlowChangeKind.Started && change.Flow.Has(FlowFields.StopTime));
}
