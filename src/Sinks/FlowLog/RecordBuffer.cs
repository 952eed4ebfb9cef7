using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>
/// Lines on their way to the output, in one reused buffer: written out when it is full or on <see cref="TryFlush"/>. When the output fails, what
/// is in the buffer is kept and tried again after a second; what no longer fits is dropped and counted, and once there is room a
/// <see cref="FlowGapReason.SinkFailed"/> gap stands between what was before and what came after. Used by one thread at a time.
/// </summary>
internal sealed class RecordBuffer(ILogOutput output, IRecordWriter writer, FlowLogCounters counters, TimeProvider time, ILogger logger)
{
    // Pipes hold as much, and with larger writes the cost of a record no longer falls.
    private const int Length = 64 * 1024;

    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);

    private readonly byte[] _buffer = new byte[Length];
    private int _used;
    private bool _failing;
    private long _retryAt; // TimeProvider timestamp
    private long _dropped, _droppedFrom, _droppedTo; // not yet told by a gap
    private long _droppedWhileFailing;

    /// <summary>Why the last write failed; None while writing works.</summary>
    internal Errno Error { get; private set; }

    /// <summary>Lines that are in the buffer, or were dropped and not told by a gap.</summary>
    internal long Pending => _buffer.AsSpan(0, _used).Count((byte)'\n') + _dropped;

    internal void Append(in FlowChange change, CancellationToken cancellationToken)
    {
        if (_dropped == 0 && TryAppend(change))
            return;
        TryFlush(cancellationToken, force: false);
        (int used, long dropped) = (_used, _dropped);
        if (TryAppendGap() && TryAppend(change))
            return;
        (_used, _dropped) = (used, dropped); // a gap that just fits would be followed by another
        Drop(change);
    }

    /// <summary>Writes out what there is, unless the last attempt failed less than a second ago.</summary>
    /// <param name="force">Try in any case.</param>
    /// <returns>The buffer is empty.</returns>
    internal bool TryFlush(CancellationToken cancellationToken, bool force)
    {
        if (_used == 0 && _dropped == 0)
            return true;
        if (_failing && !force && time.GetTimestamp() < _retryAt)
            return false;
        if (!TryWriteOut(cancellationToken))
            return false;
        return _dropped == 0 || (TryAppendGap() && TryWriteOut(cancellationToken));
    }

    private bool TryAppend(in FlowChange change)
    {
        int length = writer.Write(_buffer.AsSpan(_used), change);
        _used += length;
        return length > 0;
    }

    private void Drop(in FlowChange change)
    {
        long from = change.Gap is { From: not 0 } gap ? gap.From : change.Time;
        _droppedFrom = _dropped == 0 ? from : Math.Min(_droppedFrom, from);
        _droppedTo = _dropped == 0 ? change.Time : Math.Max(_droppedTo, change.Time);
        _dropped++;
        _droppedWhileFailing++;
        counters.Dropped++;
    }

    /// <summary>Tells what was dropped; true when there is nothing (more) to tell.</summary>
    private bool TryAppendGap()
    {
        if (_dropped == 0)
            return true;
        FlowChange gap = new()
        {
            Kind = FlowChangeKind.Gap,
            Time = _droppedTo,
            Gap = new FlowGap(FlowGapReason.SinkFailed, _droppedFrom, _droppedTo, _dropped, Recovered: null),
        };
        if (!TryAppend(gap))
            return false;
        _dropped = 0;
        return true;
    }

    private bool TryWriteOut(CancellationToken cancellationToken)
    {
        int written = output.Write(_buffer.AsSpan(0, _used), out Errno error, cancellationToken);
        counters.Bytes += written;
        counters.Records += _buffer.AsSpan(0, written).Count((byte)'\n');
        _buffer.AsSpan(written, _used - written).CopyTo(_buffer);
        _used -= written;
        Error = error;
        if (error == Errno.None)
            Recovered();
        else
            Failed(error);
        return error == Errno.None;
    }

    private void Failed(Errno error)
    {
        counters.WriteErrors++;
        _retryAt = time.GetTimestamp() + (long)(Retry.TotalSeconds * time.TimestampFrequency);
        if (_failing || error == Errno.EAGAIN) // EAGAIN: no failure, the wait for a slow reader was cancelled
            return;
        _failing = true;
        logger.WriteFailed(output.Name, error.ToString(), NetlinkException.DescribeErrno(error));
    }

    private void Recovered()
    {
        if (!_failing)
            return;
        _failing = false;
        logger.WriteRecovered(output.Name, _droppedWhileFailing);
        _droppedWhileFailing = 0;
    }
}
