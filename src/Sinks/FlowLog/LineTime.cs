using System.Buffers.Text;
using System.Globalization;
using System.Text;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>The time of one line of a flow log, in any format.</summary>
internal static class LineTime
{
    /// <summary>The first bytes of every record of the format ecs.</summary>
    internal static ReadOnlySpan<byte> EcsStart => "{\"@timestamp\":\""u8;

    /// <returns>ns since the Unix epoch; null for a line that is none of ours.</returns>
    internal static long? Of(ReadOnlySpan<byte> line)
    {
        if (line.StartsWith("["u8))
            return OfText(line[1..]);
        if (line.StartsWith("# gap"u8))
            return TextGapParser.TryParse(line, out FlowGap? gap, out _) ? gap?.To : null;
        return OfRecord(line);
    }

    /// <summary>
    /// An end or a change that the kernel did not report: its time is that of the dump that showed it. A line of text does not say.
    /// </summary>
    internal static bool IsConclusion(ReadOnlySpan<byte> line) =>
        IsRefusal(line) || (line.IndexOf("\"origin\":\"event\""u8) < 0
            && (line.IndexOf("\"event\":\"end\""u8) >= 0 || line.IndexOf("\"event\":\"update\""u8) >= 0
                || line.IndexOf("\"action\":\"flow-end\""u8) >= 0 || line.IndexOf("\"action\":\"flow-update\""u8) >= 0));

    /// <summary>
    /// Refused connections: counted at a time when older events may have waited to be read. A line of text has no time of its own.
    /// </summary>
    internal static bool IsRefusal(ReadOnlySpan<byte> line) =>
        line.IndexOf("\"event\":\"refused\""u8) >= 0 || line.IndexOf("\"action\":\"refused\""u8) >= 0;

    /// <summary>The time stands first in every JSON record.</summary>
    private static long? OfRecord(ReadOnlySpan<byte> line)
    {
        ReadOnlySpan<byte> before = line.StartsWith(EcsStart) ? EcsStart : "{\"v\":1,\"time\":\""u8;
        if (!line.StartsWith(before))
            return null;
        line = line[before.Length..];
        int end = line.IndexOf((byte)'"');
        return end > 0 && DateTimeOffset.TryParse(
            Encoding.ASCII.GetString(line[..end]), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time)
            && time.TryToUnixTimeNanoseconds(out long nanoseconds)
            ? nanoseconds
            : null;
    }

    /// <summary>Seconds and microseconds, <c>1770091506.789012]</c>.</summary>
    private static long? OfText(ReadOnlySpan<byte> line)
    {
        const int Digits = 6;
        bool isTime = Utf8Parser.TryParse(line, out long seconds, out int whole) && line.Length > whole + Digits + 1 && line[whole] == '.'
            && line[whole + Digits + 1] == ']' && seconds is >= 0 and < 9_000_000_000;
        return isTime
            && Utf8Parser.TryParse(line.Slice(whole + 1, Digits), out int microseconds, out int read)
            && read == Digits && microseconds >= 0
            ? (seconds * 1_000_000_000) + (microseconds * 1000L)
            : null;
    }
}
