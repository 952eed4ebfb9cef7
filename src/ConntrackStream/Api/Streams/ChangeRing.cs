using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Service.Api.Streams;

/// <summary>
/// The latest changes, numbered from 1. One thread adds, any number of clients read, each at a number of its own: so what is kept for
/// clients that come back is also the queue of those that are slow. A client whose next change is gone learns how many it missed.
/// </summary>
internal sealed class ChangeRing(int capacity, ulong name)
{
    private readonly Lock _lock = new();
    private readonly FlowChange[] _changes = new FlowChange[capacity];
    private long _last; // number of the newest change; it is at (_last - 1) % capacity
    private bool _isEnded;
    private TaskCompletionSource _added = NewSignal();

    /// <summary>Distinguishes this ring from all others.</summary>
    internal ulong Name => name;

    /// <summary>Number of the newest change; 0 before the first.</summary>
    internal long Last
    {
        get
        {
            lock (_lock)
                return _last;
        }
    }

    /// <summary>Copies a batch, extras included.</summary>
    internal void Add(FlowChangeBatch batch)
    {
        TaskCompletionSource added;
        lock (_lock)
        {
            foreach (ref readonly FlowChange change in batch.Span)
            {
                ref FlowChange slot = ref _changes[_last++ % capacity];
                slot = change;
                if (change.Flow.Extras is { } extras)
                    slot.Flow.Extras = extras.Clone();
            }

            (added, _added) = (_added, NewSignal());
        }

        added.SetResult();
    }

    /// <summary>No change comes any more.</summary>
    internal void End()
    {
        TaskCompletionSource added;
        lock (_lock)
        {
            _isEnded = true;
            added = _added;
        }

        added.TrySetResult();
    }

    /// <summary>Copies the changes from a number on, as many as fit.</summary>
    /// <param name="next">The first that is wanted; afterwards the first that was not copied.</param>
    /// <param name="more">When nothing was copied and nothing missed: done when there is more. Null when there never will be.</param>
    /// <returns>How many were copied, and how many were gone already.</returns>
    internal (int Copied, long Missed) Read(ref long next, Span<FlowChange> to, out Task? more)
    {
        lock (_lock)
        {
            more = _isEnded ? null : _added.Task;
            long oldest = Math.Max(1, _last - capacity + 1), missed = Math.Max(0, oldest - next);
            next = Math.Max(next, oldest);
            int copied = 0;
            for (; copied < to.Length && next <= _last; copied++, next++)
                to[copied] = _changes[(next - 1) % capacity];
            return (copied, missed);
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
