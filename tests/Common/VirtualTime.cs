namespace ConntrackStream.Tests;

/// <summary>
/// The library's clock for what waits by timers: it shows which are armed, and <see cref="Advance"/> stops at each due time. The library's
/// own sets the clock to the end before the first callback, so that a timer which a callback arms would begin there.
/// </summary>
internal sealed class VirtualTime() : FakeTimeProvider(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero))
{
    private readonly Lock _lock = new();
    private readonly List<VirtualTimer> _armed = [];
    private readonly List<(int Count, TaskCompletionSource Done)> _waiters = [];

    /// <summary>When each timer that is armed now falls due.</summary>
    public IReadOnlyList<DateTimeOffset> Due
    {
        get
        {
            lock (_lock)
                return [.. _armed.Select(static timer => timer.Due).Order()];
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        VirtualTimer timer = new(this, callback, state);
        timer.Inner = base.CreateTimer(
            static fired => ((VirtualTimer)fired!).Fire(), timer, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Completes when at least <paramref name="count"/> timers are armed: what is under test waits for time now.</summary>
    public Task WaitForTimersAsync(int count)
    {
        lock (_lock)
        {
            TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiters.Add((count, done));
            CompleteWaiters();
            return done.Task.WaitAsync(TimeSpan.FromSeconds(30));
        }
    }

    public new void Advance(TimeSpan by)
    {
        DateTimeOffset end = GetUtcNow() + by;
        for (DateTimeOffset next = NextDue(end); next < end; next = NextDue(end))
            SetUtcNow(next);
        SetUtcNow(end);
    }

    /// <summary>The first due time before the end, or the end. Without LINQ: other threads read the clock meanwhile.</summary>
    private DateTimeOffset NextDue(DateTimeOffset end)
    {
        lock (_lock)
        {
            DateTimeOffset next = end;
            foreach (VirtualTimer timer in _armed)
            {
                if (timer.Due > GetUtcNow() && timer.Due < next)
                    next = timer.Due;
            }

            return next;
        }
    }

    private void Arm(VirtualTimer timer, TimeSpan dueTime)
    {
        lock (_lock)
        {
            _armed.Remove(timer);
            if (dueTime == Timeout.InfiniteTimeSpan)
                return;
            timer.Due = GetUtcNow() + dueTime;
            _armed.Add(timer);
            CompleteWaiters();
        }
    }

    private void CompleteWaiters()
    {
        foreach ((int count, TaskCompletionSource done) in _waiters.Where(waiter => _armed.Count >= waiter.Count).ToList())
        {
            done.TrySetResult();
            _waiters.Remove((count, done));
        }
    }

    private sealed class VirtualTimer(VirtualTime time, TimerCallback callback, object? state) : ITimer
    {
        private TimeSpan _period;

        public ITimer? Inner { get; set; }

        public DateTimeOffset Due { get; set; }

        public void Fire()
        {
            time.Arm(this, _period > TimeSpan.Zero ? _period : Timeout.InfiniteTimeSpan);
            callback(state);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            _period = period;
            time.Arm(this, dueTime);
            return Inner!.Change(dueTime, period);
        }

        public void Dispose()
        {
            time.Arm(this, Timeout.InfiniteTimeSpan);
            Inner!.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
