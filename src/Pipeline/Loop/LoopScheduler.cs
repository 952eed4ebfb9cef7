using System.Reactive.Concurrency;
using System.Reactive.Disposables;

namespace ConntrackStream.Pipeline.Loop;

/// <summary>
/// Rx timers on the pipeline's loop: due work runs when the loop calls <see cref="RunDue"/>, so that the live view has one writer. The
/// loop sleeps until it is due; where the time is not the machine's, a fake TimeProvider's timer wakes it. Only the loop (or its builder,
/// before it runs) schedules.
/// </summary>
internal sealed class LoopScheduler : LocalScheduler, IDisposable
{
    private readonly SchedulerQueue<DateTimeOffset> _queue = new();
    private readonly TimeProvider _time;
    private readonly ITimer? _timer; // null: by the machine's clock the loop wakes itself
    private readonly Action _wake;
    private volatile bool _fired; // a timer may fire a little before the clock shows the time it was set for
    private DateTimeOffset _armed = DateTimeOffset.MaxValue;

    /// <param name="wake">Makes the loop call <see cref="RunDue"/>; called on a timer's thread.</param>
    public LoopScheduler(TimeProvider time, Action wake)
    {
        _time = time;
        _wake = wake;
        if (time == TimeProvider.System) // its timers would wake three threads, and the loop as the fourth
            return;
        _timer = time.CreateTimer(
            static state => ((LoopScheduler)state!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public override DateTimeOffset Now => _time.GetUtcNow();

    /// <summary>How long the loop may sleep; null: until it is woken.</summary>
    public TimeSpan? Rest
    {
        get
        {
            if (_timer is not null || _queue.Count == 0)
                return null;
            TimeSpan rest = _queue.Peek().DueTime - Now;
            return rest > TimeSpan.Zero ? rest : TimeSpan.Zero;
        }
    }

    public override IDisposable Schedule<TState>(TState state, TimeSpan dueTime, Func<IScheduler, TState, IDisposable> action)
    {
        ScheduledItem<DateTimeOffset, TState> item = new(this, state, action, Now + Scheduler.Normalize(dueTime));
        _queue.Enqueue(item);
        Arm();
        return Disposable.Create(item, static item => item.Cancel());
    }

    /// <summary>Runs what is due now.</summary>
    public void RunDue()
    {
        if (_queue.Count == 0)
            return;
        if (_fired)
        {
            _fired = false;
            _armed = DateTimeOffset.MaxValue;
        }

        DateTimeOffset now = Now;
        while (_queue.Count > 0 && _queue.Peek().DueTime <= now)
        {
            ScheduledItem<DateTimeOffset> item = _queue.Dequeue();
            if (!item.IsCanceled)
                item.Invoke();
        }

        Arm();
    }

    public void Dispose() => _timer?.Dispose();

    private void OnTimer()
    {
        _fired = true;
        _wake();
    }

    private void Arm()
    {
        while (_queue.Count > 0 && _queue.Peek().IsCanceled)
            _queue.Dequeue();
        if (_timer is null || _queue.Count == 0 || _queue.Peek().DueTime >= _armed)
            return;
        _armed = _queue.Peek().DueTime;
        TimeSpan due = _armed - Now;
        _timer.Change(due > TimeSpan.Zero ? due + TimeSpan.FromMilliseconds(1) : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }
}
