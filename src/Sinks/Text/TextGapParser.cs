using System.Buffers.Text;
using System.Globalization;
using System.Text;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Sinks.Text;

/// <summary>
/// Reads the gaps of a flow log in text form: <c># gap reason=overrun lost=12 from=… to=… recovered=3</c>. Other comments tell nothing.
/// </summary>
internal static class TextGapParser
{
    internal static bool IsComment(ReadOnlySpan<byte> line) => line.StartsWith("#"u8);

    /// <returns>False for another comment, and for a gap whose reason is unknown or whose fields cannot be read
    /// (<paramref name="problem"/> then is set).</returns>
    internal static bool TryParse(ReadOnlySpan<byte> line, out FlowGap? gap, out string? problem)
    {
        gap = null;
        problem = null;
        if (!line.StartsWith("# gap "u8))
            return false;
        FlowGap read = new(default, From: 0, To: 0, Lost: null, Recovered: null);
        bool hasReason = false;
        foreach (Range range in line.Split((byte)' '))
        {
            ReadOnlySpan<byte> field = line[range];
            int equals = field.IndexOf((byte)'=');
            if (equals < 0)
                continue; // "#" and "gap"
            ReadOnlySpan<byte> value = field[(equals + 1)..];
            if (!TryField(field[..equals], value, ref read, ref hasReason))
            {
                problem = $"a gap's {ConntrackTextParser.Quote(field)} cannot be read";
                return false;
            }
        }

        gap = read;
        if (!hasReason)
            problem = "a gap without a reason";
        return hasReason;
    }

    private static bool TryField(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, ref FlowGap gap, ref bool hasReason)
    {
        if (name.SequenceEqual("reason"u8))
            return hasReason = TryReason(value, ref gap);
        if (name.SequenceEqual("lost"u8) && value.SequenceEqual("unknown"u8))
            return true;
        if (name.SequenceEqual("lost"u8) || name.SequenceEqual("recovered"u8))
        {
            if (!Utf8Parser.TryParse(value, out long count, out int read) || read != value.Length || count < 0)
                return false;
            gap = name[0] == 'l' ? gap with { Lost = count } : gap with { Recovered = count };
            return true;
        }

        if (!DateTimeOffset.TryParse(
                Encoding.UTF8.GetString(value), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time)
            || !time.TryToUnixTimeNanoseconds(out long nanoseconds))
        {
            return false;
        }

        if (name.SequenceEqual("from"u8))
            gap = gap with { From = nanoseconds };
        else if (name.SequenceEqual("to"u8))
            gap = gap with { To = nanoseconds };
        return true;
    }

    private static bool TryReason(ReadOnlySpan<byte> value, ref FlowGap gap)
    {
        foreach (FlowGapReason reason in Enum.GetValues<FlowGapReason>())
        {
            if (!value.SequenceEqual(RecordNames.Of(reason)))
                continue;
            gap = gap with { Reason = reason };
            return true;
        }

        return false;
    }
}
