using ConntrackStream.Sinks.FlowLog;

namespace ConntrackStream.Sinks.Archive;

/// <summary>
/// Which records show where in time the log is. Events and gaps stand in the order of their times (apart from some 100 ms between CPUs,
/// and what waited in a queue). A start that a dump found has the time at which the flow began, perhaps days before; what a dump
/// concluded may be older than events written before it. A line of the format text does not show what a dump found: no start counts there.
/// </summary>
internal static class RecordOrder
{
    /// <summary>How far records may stand out of order: longer than a queue or a dump takes.</summary>
    internal const long Slack = 60_000_000_000; // ns

    /// <returns>ns since the Unix epoch; null for a line that does not show it.</returns>
    internal static long? TimeOf(ReadOnlySpan<byte> line) =>
        line.IndexOf("\"origin\":\"event\""u8) >= 0
        || (line.IndexOf("\"origin\":"u8) < 0 && !LineTime.IsRefusal(line) && !(line.StartsWith("["u8) && line.IndexOf("[NEW]"u8) >= 0))
            ? LineTime.Of(line)
            : null;

    /// <summary>The first line among whole lines that shows the time.</summary>
    /// <param name="at">Where it begins.</param>
    internal static long? FirstIn(ReadOnlySpan<byte> lines, out int at)
    {
        at = 0;
        for (int end; (end = lines[at..].IndexOf((byte)'\n')) >= 0; at += end + 1)
        {
            if (TimeOf(lines.Slice(at, end)) is { } time)
                return time;
        }

        return null;
    }
}
