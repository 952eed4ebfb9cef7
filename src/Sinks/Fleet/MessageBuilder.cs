using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Fleet.Spool;

namespace ConntrackStream.Sinks.Fleet;

/// <summary>
/// Gathers records into messages and numbers them. A message that the queue has no room for is dropped, its numbers are given again, and
/// the next one that fits begins with a gap that has the number of records dropped: so the sequence has no holes. Used by one thread at a
/// time.
/// </summary>
internal sealed class MessageBuilder(
    SequencedWriter writer, MessageQueue queue, FleetCounters counters, int maxRecords, ulong run, TimeProvider time)
{
    private readonly byte[] _frame = new byte[FrameHeader.Length + FrameHeader.MaxPayload];
    private int _used = FrameHeader.Length;
    private ulong _first = 1; // sequence number of the first record in the frame
    private ulong _next = 1;
    private long _latest; // time of the latest record
    private long _unreportedFrom;
    private UntoldLoss _inMessage; // what would be lost with it
    private UntoldLoss _dropped;

    /// <summary>The run before, and its last sequence number; for the first message.</summary>
    internal (ulong Run, ulong Last) Previous { get; init; }

    /// <summary>Records, or a gap, wait to be handed on.</summary>
    internal bool HasAny => _next > _first || !_dropped.IsEmpty;

    /// <param name="unreportedFrom">As <see cref="FlowChangeBatch.UnreportedLossFrom"/>.</param>
    internal void Append(in FlowChange change, long unreportedFrom)
    {
        _unreportedFrom = unreportedFrom;
        if (!TryAppend(change))
        {
            Complete();
            if (!TryAppend(change)) // with the gap before it
                Drop(change);
        }

        if (_next - _first >= (ulong)maxRecords)
            Complete();
    }

    /// <summary>Hands on what there is.</summary>
    internal void Complete()
    {
        if (!TryAppendGap() || _next == _first)
            return;
        long now = time.UnixNanoseconds();
        FrameHeader header = new(
            run, _first, _next - 1, Math.Min(_latest, now), _unreportedFrom, now, // later if the clock was set back since
            _first == 1 ? Previous.Run : 0, _first == 1 ? Previous.Last : 0);
        Span<byte> frame = _frame.AsSpan(0, _used);
        header.Write(frame);
        if (queue.TryAdd(frame, header))
        {
            counters.Queued += header.Records;
            _first = _next;
        }
        else
        {
            counters.Dropped += _inMessage.Fresh;
            _dropped.Add(_inMessage);
            _next = _first;
        }

        _used = FrameHeader.Length;
        _inMessage = default;
    }

    private bool TryAppend(in FlowChange change) => TryAppendGap() && TryWrite(change);

    /// <summary>Begins a message with what was dropped before it.</summary>
    /// <returns>False: there is no room for it.</returns>
    private bool TryAppendGap()
    {
        if (_dropped.IsEmpty)
            return true;
        FlowChange gap = new() { Kind = FlowChangeKind.Gap, Time = _dropped.To, Gap = _dropped.ToGap(FlowGapReason.SinkFailed) };
        if (!TryWrite(gap))
            return false;
        _dropped = default;
        return true;
    }

    private bool TryWrite(in FlowChange change)
    {
        int length = writer.Write(_frame.AsSpan(_used), change, run, _next);
        if (length == 0)
            return false;
        _used += length;
        _next++;
        _latest = Math.Max(_latest, change.Time);
        _inMessage.Add(change, to: 0);
        return true;
    }

    private void Drop(in FlowChange change)
    {
        long before = _dropped.Fresh;
        _dropped.Add(change, to: 0);
        counters.Dropped += _dropped.Fresh - before;
    }
}
