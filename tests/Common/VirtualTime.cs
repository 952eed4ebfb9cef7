namespace ConntrackStream.Tests;

/// <summary>
/// A clock for what waits by timers: it shows which are armed, and <see cref="Advance"/> stops at each due time. The library's sets the
/// clock to the end before the first callback, so that a timer which a callback arms would begin there. A timer is armed and seen to be in
/// one step, so that no advance comes between what a test waited for and what it then counts on.
/// </summary>
internal sealed class VirtualTime : TimeProvider
{
    private readonly Lock _lock = new();
    private readonly List<VirtualTimer> _armed = [];
    private readonly List<(int Count, TaskCompletionSource Done)> _waiters = [];
    private DateTimeOffset _now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private TimeSpan _clock; // behind or before it; the library takes timestamps along: findings/dotnet-fake-clock-set.sh

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>When each timer that is armed now falls due, by a clock that was not set.</summary>
    public IReadOnlyList<DateTimeOffset> Due
    {
        get
        {
            lock (_lock)
                return [.. _armed.Select(static timer => timer.Due).Order()];
        }
    }

    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock)
            return _now + _clock;
    }

    public override long GetTimestamp()
    {
        lock (_lock)
            return _now.Ticks;
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        VirtualTimer timer = new(this, callback, state);
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

    /// <summary>Sets the clock, as somebody does whose time was wrong: neither timers nor timestamps see it.</summary>
    public void SetClock(TimeSpan by)
    {
        lock (_lock)
            _clock += by;
    }

    public void Advance(TimeSpan by)
    {
        DateTimeOffset end = new(GetTimestamp() + by.Ticks, TimeSpan.Zero);
        while (TakeDue(end) is { } timer)
            timer.Call();
    }

    /// <summary>The first timer that falls due until the end, with the clock set to that moment; none sets it to the end.</summary>
    /// <remarks>Without LINQ: tests that count allocations read the clock meanwhile.</remarks>
    private VirtualTimer? TakeDue(DateTimeOffset end)
    {
        lock (_lock)
        {
            VirtualTimer? first = null;
            foreach (VirtualTimer timer in _armed)
            {
                if (first is null ? timer.Due <= end : timer.Due < first.Due)
                    first = timer;
            }

            DateTimeOffset until = first?.Due ?? end;
            _now = until > _now ? until : _now;
            if (first is not null)
                Take(first);
            return first;
        }
    }

    /// <summary>Under the lock: the timer's callback is the caller's to make, and the next one, if it has any, is a period later.</summary>
    private void Take(VirtualTimer timer)
    {
        _armed.Remove(timer);
        if (timer.Period > TimeSpan.Zero)
            Arm(timer, timer.Period);
    }

    private void Arm(VirtualTimer timer, TimeSpan dueTime)
    {
        timer.Due = _now + dueTime;
        _armed.Add(timer);
        CompleteWaiters();
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
        private bool _isDisposed;

        public DateTimeOffset Due { get; set; }

        public TimeSpan Period { get; private set; }

        public void Call() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time._lock)
            {
                if (_isDisposed)
                    return false;
                Period = period;
                time._armed.Remove(this);
                if (dueTime == Timeout.InfiniteTimeSpan)
                    return true;
                if (dueTime > TimeSpan.Zero)
                {
                    time.Arm(this, dueTime);
                    return true;
                }

                time.Take(this);
            }

            Call();
            return true;
        }

        public void Dispose()
        {
            lock (time._lock)
            {
                _isDisposed = true;
                time._armed.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
