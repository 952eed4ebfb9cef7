using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.Fleet;

/// <summary>
/// Flow-log records with <c>run</c> and <c>seq</c> behind their other fields, and <c>seq_to</c> in a gap that stands for the records of
/// several sequence numbers. Not thread-safe.
/// </summary>
/// <param name="writer">Of JSON records.</param>
internal sealed class SequencedWriter(IRecordWriter writer)
{
    private const int MaxSuffix = 96; // ,"run":"…","seq":…,"seq_to":…} and a line feed
    private const int End = 2; // } and a line feed

    /// <returns>Bytes of the line, its line feed included; 0 when it does not fit.</returns>
    internal int Write(Span<byte> destination, in FlowChange change, ulong run, ulong sequence, ulong last = 0)
    {
        if (destination.Length <= MaxSuffix)
            return 0;
        int length = writer.Write(destination[..^MaxSuffix], change);
        if (length == 0)
            return 0;
        Utf8Writer text = new(destination[(length - End)..]);
        text.Literal(",\"run\":\""u8);
        text.PaddedHex(run, 16);
        text.Literal("\",\"seq\":"u8);
        text.Number(sequence);
        if (last != 0)
        {
            text.Literal(",\"seq_to\":"u8);
            text.Number(last);
        }

        text.Literal("}\n"u8);
        return length - End + text.Position;
    }
}
