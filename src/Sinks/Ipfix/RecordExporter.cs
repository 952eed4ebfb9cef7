using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Queues;
using ConntrackStream.Sinks.Ipfix.Transport;
using ConntrackStream.Sinks.Ipfix.Wire;

namespace ConntrackStream.Sinks.Ipfix;

/// <summary>
/// Records on their way to one collector: gathered into a message, which is sent when it is full or on <see cref="Flush"/>. What cannot be
/// sent is dropped and counted, and the first record of the next connection is a gap. Used by one thread at a time.
/// </summary>
/// <param name="message">As long as the transport allows.</param>
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
    private readonly SentTimes _sent = new((int)timeout.TotalSeconds + 3); // the rest of both seconds, and one for the kernel's timers
    private CollectorConnection? _connection;
    private long? _templatesSentAt; // timestamp; null: not on this connection
    private uint _sequence;
    private long _droppedBefore; // records that the queue dropped, as its gaps report
    private UntoldLoss _untold;
    private UntoldLoss _inMessage; // what would be lost with it

    /// <summary>Records that were dropped and not reported by a gap, or are not sent yet.</summary>
    internal long Pending => _untold.Lost + _inMessage.Lost;

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

    /// <summary>Sends what has been gathered; false when the connection has failed.</summary>
    internal bool Flush()
    {
        if (message.IsEmpty || _connection is null)
            return _connection is not null;
        ReadOnlySpan<byte> bytes = message.Complete((uint)time.GetUtcNow().ToUnixTimeSeconds(), _sequence);
        if (!_connection.TrySend(bytes, out _))
        {
            Lose();
            _connection = null;
            return false;
        }

        counters.Messages++;
        counters.Bytes += bytes.Length;
        counters.Records += message.Records;
        _sequence += (uint)message.Records;
        if (message.Records > 0)
            _sent.Add(Second, _inMessage.From);
        message.Clear();
        _inMessage = default;
        return true;
    }

    private long Second => time.GetTimestamp() / time.TimestampFrequency;

    private bool TryAdd(Template template, out Span<byte> record)
    {
        if (message.IsEmpty && !TryAddTemplates())
        {
            record = default;
            return false;
        }

        return message.TryAdd(template, out record) || (Flush() && TryAddTemplates() && message.TryAdd(template, out record));
    }

    /// <summary>Where they are due.</summary>
    private bool TryAddTemplates()
    {
        if (_templatesSentAt is { } sentAt && (!_connection!.IsDatagram || time.GetElapsedTime(sentAt) < refresh))
            return true;
        foreach (Template template in templates)
        {
            if (!message.TryAddTemplate(template) && (!Flush() || !message.TryAddTemplate(template)))
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
        counters.Gaps++;
        GapRecord.Write(record, domain, gap, (ulong)(counters.Dropped + _droppedBefore));
    }

    /// <summary>
    /// The connection has failed: the message under way is lost, and what was sent shortly before may be; how much of it is unknown.
    /// </summary>
    private void Lose()
    {
        counters.Dropped += _inMessage.Fresh;
        UntoldLoss lost = _inMessage;
        if (_sent.Earliest(Second) is { } earliest)
        {
            lost = lost.IsEmpty
                ? new UntoldLoss(earliest, time.UnixNanoseconds(), Lost: 1, Fresh: 0, IsUnbounded: true)
                : lost with { From = Math.Min(lost.From, earliest), IsUnbounded = true };
        }

        _untold.Add(lost);
        _sent.Clear();
        message.Clear();
        _inMessage = default;
    }
}
