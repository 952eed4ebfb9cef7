using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Queues;
using ConntrackStream.Sinks.Ipfix.Transport;
using ConntrackStream.Sinks.Ipfix.Wire;

namespace ConntrackStream.Sinks.Ipfix;

/// <summary>
/// Records on their way to one collector: gathered into messages, which are sent when there is no room for more or on <see cref="Flush"/>.
/// What cannot be sent is dropped and counted, and the first record of the next connection is a gap. Used by one thread at a time.
/// </summary>
/// <param name="message">As long as the transport allows, as many as are sent at once.</param>
/// <param name="templates">Of every record that may come.</param>
/// <param name="domain">Observation domain id.</param>
/// <param name="refresh">How often templates are sent again where messages may be lost.</param>
/// <param name="timeout">What is older has been acknowledged by the collector's host, where the transport does that.</param>
/// <param name="counters">To be counted into.</param>
/// <param name="time">Of messages.</param>
internal sealed class RecordExporter(
    MessageWriter message, Template[] templates, uint domain, TimeSpan refresh, TimeSpan timeout, CollectorCounters counters,
    TimeProvider time)
{
    private readonly int[] _lengths = new int[message.Most]; // of the messages that are complete and wait
    private readonly Content[] _contents = new Content[message.Most];
    private readonly SentTimes _sent = new((int)timeout.TotalSeconds + 3); // the rest of both seconds, and one for the kernel's timers
    private CollectorConnection? _connection;
    private int _waiting; // messages
    private uint _exportTime; // of those
    private long? _templatesSentAt; // timestamp; null: not on this connection
    private uint _sequence; // of the present message
    private long _droppedBefore; // records that the queue dropped, as its gaps report
    private UntoldLoss _untold;
    private UntoldLoss _inMessage; // what would be lost with the present one
    private int _gapsInMessage;

    /// <summary>Records that were dropped and not reported by a gap, or are not sent yet.</summary>
    internal long Pending => _untold.Lost + Unsent(from: 0).Lost;

    /// <summary>The connection to use from now on; null while there is none.</summary>
    internal void Use(CollectorConnection? connection)
    {
        CollectorConnection? usable = connection is { Ended.IsCompleted: false } ? connection : null;
        if (ReferenceEquals(usable, _connection))
            return;
        if (_connection is not null)
            Lose();
        _connection = usable;
        _templatesSentAt = null;
        if (usable is { IsDatagram: false })
            _sequence = 0; // RFC 7011, section 3.1: it counts within a session; over UDP, the numbers going on show what was lost
    }

    /// <summary>Room for a record of a change; false: it was dropped.</summary>
    internal bool TryAdd(Template template, in FlowChange change, out Span<byte> record)
    {
        if (_connection is not null && (_untold.IsEmpty || TryReportLoss()) && TryAdd(template, out record))
        {
            _inMessage.Add(change, change.Time);
            return true;
        }

        record = default;
        long before = _untold.Fresh;
        _untold.Add(change, time.UnixNanoseconds());
        counters.Dropped += _untold.Fresh - before;
        return false;
    }

    /// <summary>A gap of the stream as a record.</summary>
    internal void AddGap(in FlowChange change)
    {
        if (change.Gap is not { } gap)
            return;
        if (gap.Reason is FlowGapReason.SinkQueueFull or FlowGapReason.SinkFailed)
            _droppedBefore += gap.Lost ?? 0;
        if (TryAdd(GapRecord.Template, change, out Span<byte> record))
            Write(record, gap);
    }

    /// <summary>Refused connections as a record.</summary>
    internal void AddRefused(in FlowChange change)
    {
        if (change.Refused is { } refused && TryAdd(GapRecord.Template, change, out Span<byte> record))
            GapRecord.Write(record, domain, refused, (ulong)(counters.Dropped + _droppedBefore));
    }

    /// <summary>Sends what has been gathered; false when the connection has failed.</summary>
    internal bool Flush() => _connection is not null && Close() && Send();

    /// <summary>The present message is complete: it waits with those before it while there is room for another.</summary>
    private bool Close()
    {
        if (message.IsEmpty)
            return true;
        if (_waiting == 0)
            _exportTime = (uint)time.GetUtcNow().ToUnixTimeSeconds();
        _lengths[_waiting] = message.Complete(_exportTime, _sequence).Length;
        _contents[_waiting++] = new Content(message.Records, _gapsInMessage, _inMessage);
        _sequence += (uint)message.Records;
        message.Next();
        (_inMessage, _gapsInMessage) = (default, 0);
        return message.HasRoom || Send();
    }

    private bool Send()
    {
        if (_waiting == 0)
            return true;
        int sent = _connection!.Send(message.Before, _lengths.AsSpan(0, _waiting));
        long second = Second;
        for (int i = 0; i < sent; i++)
            Sent(_lengths[i], _contents[i], second);
        if (sent < _waiting)
        {
            Lose(from: sent);
            _connection = null;
            return false;
        }

        message.Clear();
        _waiting = 0;
        return true;
    }

    private void Sent(int length, in Content content, long second)
    {
        counters.Messages++;
        counters.Bytes += length;
        counters.Records += content.Records;
        counters.Gaps += content.Gaps;
        if (content.Records > 0)
            _sent.Add(second, content.Inside.From);
    }

    private long Second => time.GetTimestamp() / time.TimestampFrequency;

    private bool TryAdd(Template template, out Span<byte> record)
    {
        if (message.IsEmpty && !TryAddTemplates())
        {
            record = default;
            return false;
        }

        return message.TryAdd(template, out record) || (Close() && TryAddTemplates() && message.TryAdd(template, out record));
    }

    /// <summary>Where they are due.</summary>
    private bool TryAddTemplates()
    {
        if (_templatesSentAt is { } sentAt && (!_connection!.IsDatagram || _waiting > 0 || time.GetElapsedTime(sentAt) < refresh))
            return true;
        foreach (Template template in templates)
        {
            if (!message.TryAddTemplate(template) && (!Close() || !message.TryAddTemplate(template)))
                return false;
        }

        _templatesSentAt = time.GetTimestamp();
        return true;
    }

    private bool TryReportLoss()
    {
        FlowGap gap = _untold.ToGap(FlowGapReason.SinkFailed);
        if (!TryAdd(GapRecord.Template, out Span<byte> record))
            return false;
        Write(record, gap);
        _inMessage.Add(_untold with { Fresh = 0 });
        _untold = default;
        return true;
    }

    private void Write(Span<byte> record, FlowGap gap)
    {
        _gapsInMessage++;
        GapRecord.Write(record, domain, gap, (ulong)(counters.Dropped + _droppedBefore));
    }

    /// <summary>
    /// The connection has failed: the messages that it has not taken are lost, and what was sent shortly before may be; how much of it is
    /// unknown.
    /// </summary>
    /// <param name="from">The first waiting message that is lost.</param>
    private void Lose(int from = 0)
    {
        UntoldLoss lost = Unsent(from);
        counters.Dropped += lost.Fresh;
        foreach (ref readonly Content content in _contents.AsSpan(from.._waiting))
            _sequence -= (uint)content.Records; // over UDP, the numbers go on
        if (_sent.Earliest(Second) is { } earliest)
        {
            lost = lost.IsEmpty
                ? new UntoldLoss(earliest, time.UnixNanoseconds(), Lost: 1, Fresh: 0, IsUnbounded: true)
                : lost with { From = Math.Min(lost.From, earliest), IsUnbounded = true };
        }

        _untold.Add(lost);
        _sent.Clear();
        message.Clear();
        (_waiting, _inMessage, _gapsInMessage) = (0, default, 0);
    }

    private UntoldLoss Unsent(int from)
    {
        UntoldLoss unsent = _inMessage;
        foreach (ref readonly Content content in _contents.AsSpan(from.._waiting))
            unsent.Add(content.Inside);
        return unsent;
    }

    /// <summary>Of a message that is complete.</summary>
    /// <param name="Inside">What would be lost with it.</param>
    private readonly record struct Content(int Records, int Gaps, UntoldLoss Inside);
}
