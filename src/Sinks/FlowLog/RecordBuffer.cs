using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Queues;
using ConntrackStream.Sinks.Files;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>
/// Lines on their way to the output, in one reused buffer: written out when it is full or on <see cref="TryFlush"/>. When the output fails,
/// what is in the buffer is kept and tried again after a second; what no longer fits is dropped and counted, and once there is room a
/// <see cref="FlowGapReason.SinkFailed"/> gap stands between what was before and what came after. Used by one thread at a time.
/// </summary>
internal sealed class RecordBuffer(ILogOutput output, IRecordWriter writer, FlowLogCounters counters, TimeProvider time, ILogger logger)
{
    // Pipes hold as much, and with larger writes the cost of a record no longer falls.
    private const int Length = 64 * 1024;

    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    private readonly byte[] _buffer = new byte[Length];
    private readonly WrittenLines _noted = new(counters);
    private int _used;
    private int _lines; // of what is used
    private bool _failing;
    private long _retryAt; // TimeProvider timestamp
    private long _lookAt; // TimeProvider timestamp: when to see again whether the output is in its place
    private long _latest; // time of the latest record in the buffer or before
    private UntoldLoss _dropped;
    private UntoldLoss _inBuffer; // what would be lost with it
    private UntoldLoss _unproven; // what was written since the output was last found in its place
    private long _droppedWhileFailing;

    /// <summary>Why the last write failed; None while writing works.</summary>
    internal Errno Error { get; private set; }

    /// <summary>Lines that are in the buffer, or were dropped and not told by a gap.</summary>
    internal long Pending => _inBuffer.Lost + _dropped.Lost;

    /// <summary>Something was written since the output was last found in its place.</summary>
    internal bool IsUnproven => !_unproven.IsEmpty;

    /// <summary>The latest time of a record that was written, ns since the Unix epoch; 0 = none was.</summary>
    internal long LastTime { get; private set; }

    internal void Append(in FlowChange change, CancellationToken cancellationToken)
    {
        if (_dropped.IsEmpty && TryAppend(change))
            return;
        TryFlush(cancellationToken, force: false);
        (int used, int lines, UntoldLoss dropped, UntoldLoss inBuffer) = (_used, _lines, _dropped, _inBuffer);
        if (TryAppendGap() && TryAppend(change))
            return;
        (_used, _lines, _dropped, _inBuffer) = (used, lines, dropped, inBuffer); // a gap that just fits would be followed by another
        Drop(change);
    }

    /// <summary>Writes out what there is, unless the last attempt failed less than a second ago.</summary>
    /// <param name="force">Try in any case.</param>
    /// <returns>The buffer is empty.</returns>
    internal bool TryFlush(CancellationToken cancellationToken, bool force)
    {
        if (_used == 0 && _dropped.IsEmpty)
            return true;
        if (_failing && !force && time.GetTimestamp() < _retryAt)
            return false;
        if (!TryWriteOut(cancellationToken))
            return false;
        return _dropped.IsEmpty || (TryAppendGap() && TryWriteOut(cancellationToken));
    }

    /// <summary>
    /// Looks, once a second at most, whether the output is still in its place. What was written since the last look to a file that has been
    /// removed is lost.
    /// </summary>
    /// <param name="force">Look in any case.</param>
    internal void LookAfterOutput(bool force)
    {
        long now = time.GetTimestamp();
        if (!force && now < _lookAt)
            return;
        _lookAt = now + (long)(LookInterval.TotalSeconds * time.TimestampFrequency);
        if (output is { IsSettled: false, HasFailed: false })
            return;
        UntoldLoss written = _unproven;
        _unproven = default;
        if (output.Reopen())
            return;
        output.ReportLost(written.Lost);
        counters.Dropped += written.Fresh;
        long to = Math.Max(written.To, time.UnixNanoseconds());
        if (output.LostFrom is not 0 and long from)
            _dropped.Add(new UntoldLoss(from, to, Math.Max(1, written.Lost), written.Fresh, written.Refused, IsUnbounded: true));
        else if (!written.IsEmpty)
            _dropped.Add(written with { To = to });
    }

    /// <summary>The end: what is still here will not be written.</summary>
    /// <returns>Records, those included that were counted as dropped before.</returns>
    internal long GiveUp()
    {
        counters.Dropped += _inBuffer.Fresh;
        return Pending;
    }

    private bool TryAppend(in FlowChange change)
    {
        int length = writer.Write(_buffer.AsSpan(_used), change);
        if (length == 0)
            return false;
        _used += length;
        _noted.Note(_lines++, change);
        _inBuffer.Add(change, to: 0);
        _latest = Math.Max(_latest, SeenUntil(change));
        return true;
    }

    /// <summary>
    /// What the pipeline concluded bears the time of the conclusion, when older events may have waited to be read. (The start of a flow
    /// that a dump found is no such time.)
    /// </summary>
    private static long SeenUntil(in FlowChange change) => change switch
    {
        { Gap: { } gap } => gap.To,
        { Origin: FlowOrigin.Event } or { Kind: FlowChangeKind.Started } => change.Time,
        _ => 0,
    };

    private void Drop(in FlowChange change)
    {
        long before = _dropped.Fresh;
        _dropped.Add(change, to: 0);
        _droppedWhileFailing++;
        counters.Dropped += _dropped.Fresh - before;
    }

    /// <summary>Tells what was dropped; true when there is nothing (more) to tell.</summary>
    private bool TryAppendGap()
    {
        if (_dropped.IsEmpty)
            return true;
        FlowChange gap = new() { Kind = FlowChangeKind.Gap, Time = _dropped.To, Gap = _dropped.ToGap(FlowGapReason.SinkFailed) };
        if (!TryAppend(gap))
            return false;
        _dropped = default;
        return true;
    }

    private bool TryWriteOut(CancellationToken cancellationToken)
    {
        LookAfterOutput(force: false);
        int written = output.Write(_buffer.AsSpan(0, _used), out Errno error, cancellationToken);
        int lines = written == _used ? _lines : _buffer.AsSpan(0, written).Count((byte)'\n');
        counters.Bytes += written;
        counters.Records += lines;
        if (lines > 0)
            _noted.Written(lines, _lines, time.UnixNanoseconds());
        MoveToUnproven(lines, isAll: written == _used);
        _buffer.AsSpan(written, _used - written).CopyTo(_buffer);
        _used -= written;
        _lines -= lines;
        Error = error;
        if (error == Errno.None)
            Recovered();
        else
            Failed(error);
        if (output.HasFailed)
            LookAfterOutput(force: true);
        return error == Errno.None;
    }

    private void MoveToUnproven(int lines, bool isAll)
    {
        UntoldLoss written = isAll ? _inBuffer : _inBuffer with { Lost = lines, Fresh = Math.Min(lines, _inBuffer.Fresh) };
        _unproven.Add(written);
        _inBuffer = isAll ? default : _inBuffer with { Lost = _inBuffer.Lost - written.Lost, Fresh = _inBuffer.Fresh - written.Fresh };
        if (isAll)
            LastTime = _latest;
    }

    private void Failed(Errno error)
    {
        if (error == FileCalls.ENOTCONN) // the output logs that itself, and knows when to try again
            return;
        counters.WriteErrors++;
        _retryAt = time.GetTimestamp() + (long)(Retry.TotalSeconds * time.TimestampFrequency);
        // EAGAIN: no failure, the wait for a slow reader was cancelled; EPIPE: no reader will come, and whoever has the log ends it
        if (_failing || error is Errno.EAGAIN or FileCalls.EPIPE)
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
