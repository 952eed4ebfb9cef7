using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.Syslog;

/// <summary>
/// A record as a message of RFC 5424, on one line: <c>&lt;134&gt;1 TIME HOST APP PID start [meta sequenceId="1"] RECORD</c>. MSGID is the
/// kind of the record, for a server to filter by. <c>sequenceId</c> (7.3.1) counts the messages of this run: a hole shows a loss on the
/// way, an equal number a message that was sent twice.
/// </summary>
/// <param name="record">Writes the MSG part.</param>
/// <param name="maxLength">Bytes of a message at most; none is cut.</param>
internal sealed class SyslogRecordWriter(IRecordWriter record, SyslogHeader header, long maxLength) : IRecordWriter
{
    private readonly TimestampText _timeText = new();
    private int _sequence; // of the last message

    public int Write(Span<byte> destination, in FlowChange change)
    {
        int sequence = _sequence == int.MaxValue ? 1 : _sequence + 1;
        Utf8Writer text = new(destination);
        text.Literal(change.HasFlow ? header.Flow : header.Gap);
        _timeText.Write(ref text, change.Time);
        text.Literal(header.Origin);
        text.Literal(RecordNames.Of(change.Kind));
        text.Literal(" [meta sequenceId=\""u8);
        text.Number((uint)sequence);
        text.Literal("\"] "u8);
        int length = text.Overflowed ? 0 : record.Write(destination[text.Position..], change);
        if (length == 0 || text.Position + length - 1 > maxLength) // the line feed is no part of it
            return 0;
        _sequence = sequence;
        return text.Position + length;
    }
}
