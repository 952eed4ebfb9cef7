namespace ConntrackStream.Pipeline.Queues;

// Half of the queue is for what the pipeline makes itself, which waits while that half is full; the other half is for live events, which
// cannot.
internal sealed partial class SinkQueue
{
    /// <summary>
    /// A sink that is busy with one batch for so long, or fails for so long, holds nobody up any more, until it takes something again.
    /// </summary>
    public static readonly TimeSpan StallPatience = TimeSpan.FromSeconds(10);

    private readonly int _mark;
    private readonly Action? _onRoom;

    // Used by the loop only.
    private long? _heldSince; // TimeProvider timestamp
    private long _takenWhenHeld;
    private bool _isStalled;

    private long _taken; // batches that the sink took without failing
    private int _isAwaited; // 1: the loop wants to know of room
    private bool _isInCall; // of the sink, or pausing after one that failed; else its thread waits for a processor, which is no stall

    /// <summary>
    /// May the pipeline add some batches of its own making? Asked on the loop. After a no, <c>onRoom</c> is called once there is room; a
    /// stalled sink never calls it, so ask again after <see cref="StallPatience"/>.
    /// </summary>
    public bool HasRoom()
    {
        if (Waiting < _mark)
        {
            _heldSince = null;
            return true;
        }

        long taken = Interlocked.Read(ref _taken);
        if (_heldSince is { } since && taken == _takenWhenHeld && Volatile.Read(ref _isInCall))
        {
            if (_time.GetElapsedTime(since) >= StallPatience)
            {
                Stalled();
                return true;
            }
        }
        else
        {
            _heldSince = _time.GetTimestamp();
            _takenWhenHeld = taken;
            _isStalled = false;
        }

        Interlocked.Exchange(ref _isAwaited, 1);
        return Waiting < _mark; // it may have become so before the sink's thread could see that it is awaited
    }

    private void Stalled()
    {
        if (!_isStalled)
            _logger.SinkStalled(Name, StallPatience.TotalSeconds);
        _isStalled = true;
    }

    private void AfterTake()
    {
        if (Waiting < _mark && Interlocked.Exchange(ref _isAwaited, 0) == 1)
            _onRoom?.Invoke();
    }
}
