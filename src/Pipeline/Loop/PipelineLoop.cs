using System.Diagnostics;
using System.Threading.Channels;
using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.Pipeline.Loop;

/// <summary>
/// The single consumer, on a thread of its own: messages in order, due timers, posted calls, and long work in slices. Nothing of the live
/// view is touched anywhere else.
/// </summary>
internal sealed class PipelineLoop : IDisposable
{
    private static readonly long SliceTicks = Stopwatch.Frequency / 1000; // 1 ms when idle,
    private static readonly long BusySliceTicks = SliceTicks / 4; // a quarter while events wait

    private readonly ChannelReader<TapMessage> _messages;
    private readonly ThreadParker _parker;
    private readonly Channel<Action> _posted = Channel.CreateBounded<Action>(new BoundedChannelOptions(256) { SingleReader = true });
    private readonly List<ILoopWork> _work = [];
    private readonly Action<TapMessage> _handle;
    private readonly Action _idle;
    private int _next;
    private long _turns;

    /// <param name="messages">What the tap and the dumper write.</param>
    /// <param name="parker">Where the loop sleeps; whoever writes a message, or completes the channel, wakes it.</param>
    /// <param name="handle">One message.</param>
    /// <param name="idle">Called before the loop waits or takes the next message: hand on what was gathered.</param>
    public PipelineLoop(
        ChannelReader<TapMessage> messages, ThreadParker parker, TimeProvider time, Action<TapMessage> handle, Action idle)
    {
        _messages = messages;
        _parker = parker;
        _handle = handle;
        _idle = idle;
        Scheduler = new LoopScheduler(time, Wake);
    }

    public LoopScheduler Scheduler { get; }

    /// <summary>Turns of the loop since it began: it moves while the pipeline makes progress.</summary>
    public long Turns => Interlocked.Read(ref _turns);

    /// <summary>Makes the loop turn. From any thread.</summary>
    public void Wake() => _parker.Unpark();

    /// <summary>Adds long work; on the loop only.</summary>
    public void Add(ILoopWork work) => _work.Add(work);

    /// <summary>Runs <paramref name="call"/> on the loop.</summary>
    public async Task<T> InvokeAsync<T>(Func<T> call, CancellationToken cancellationToken)
    {
        TaskCompletionSource<T> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await _posted.Writer.WriteAsync(() => done.TrySetResult(call()), cancellationToken).ConfigureAwait(false);
        Wake();
        return await done.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Runs until the channel of messages is completed and empty.</summary>
    /// <returns>Ends with the loop; faulted if it failed, or if the channel was completed with a fault.</returns>
    public Task RunAsync() => OwnThread.Run("conntrack-loop", Run);

    public void Dispose() => Scheduler.Dispose();

    private void Run()
    {
        NeverWaits.Enter();
        while (true)
        {
            bool isLast = _messages.Completion.IsCompleted; // asked first: what was written before is handled in the turn
            if (Turn())
                continue;
            if (isLast)
                break;
            if (Scheduler.Rest is { } rest)
                _parker.Park(rest);
            else
                _parker.Park();
        }

        _messages.Completion.GetAwaiter().GetResult();
    }

    /// <summary>One message, what is posted, what is due, a slice of the work. Nothing in it may wait for the kernel.</summary>
    /// <returns>Whether there is more to do at once.</returns>
    private bool Turn()
    {
        Interlocked.Increment(ref _turns);
        bool busy = false;
        if (_messages.TryRead(out TapMessage message))
        {
            busy = true;
            _handle(message);
        }

        while (_posted.Reader.TryRead(out Action? call))
            call();
        Scheduler.RunDue();
        busy |= RunWork(_messages.Count > 0 ? BusySliceTicks : SliceTicks);
        _idle();
        return busy;
    }

    /// <summary>Steps through the work in turn until the slice is used up or all of it waits.</summary>
    private bool RunWork(long ticks)
    {
        if (_work.Count == 0)
            return false;
        long end = Stopwatch.GetTimestamp() + ticks;
        int waiting = 0;
        while (waiting < _work.Count)
        {
            _next = (_next + 1) % _work.Count;
            LoopWorkState state = _work[_next].Step();
            if (state == LoopWorkState.Done)
                _work.RemoveAt(_next);
            waiting = state == LoopWorkState.Waiting ? waiting + 1 : 0;
            if (Stopwatch.GetTimestamp() >= end)
                return waiting < _work.Count;
        }

        return false;
    }
}
