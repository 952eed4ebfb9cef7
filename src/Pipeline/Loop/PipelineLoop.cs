using System.Diagnostics;
using System.Threading.Channels;
using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.Pipeline.Loop;

/// <summary>
/// The single consumer: messages in order, due timers, posted calls, and long work in slices. Nothing of the live view is touched
/// anywhere else.
/// </summary>
internal sealed class PipelineLoop : IDisposable
{
    private static readonly long SliceTicks = Stopwatch.Frequency / 1000; // 1 ms when idle,
    private static readonly long BusySliceTicks = SliceTicks / 4; // a quarter while events wait

    private readonly Channel<TapMessage> _messages;
    private readonly Channel<Action> _posted = Channel.CreateBounded<Action>(new BoundedChannelOptions(256) { SingleReader = true });
    private readonly List<ILoopWork> _work = [];
    private readonly Action<TapMessage> _handle;
    private readonly Action _idle;
    private int _next;
    private long _turns;

    /// <param name="messages">The channel the tap and the dumper write to.</param>
    /// <param name="handle">One message.</param>
    /// <param name="idle">Called before the loop waits or takes the next message: hand on what was gathered.</param>
    public PipelineLoop(Channel<TapMessage> messages, TimeProvider time, Action<TapMessage> handle, Action idle)
    {
        _messages = messages;
        _handle = handle;
        _idle = idle;
        Scheduler = new LoopScheduler(time, Wake);
    }

    public LoopScheduler Scheduler { get; }

    /// <summary>Turns of the loop since it began: it moves while the pipeline makes progress.</summary>
    public long Turns => Interlocked.Read(ref _turns);

    /// <summary>Makes the loop turn. When the channel is full it turns anyway.</summary>
    public void Wake() => _messages.Writer.TryWrite(new TapMessage(TapMessageKind.Wake));

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
    public async Task RunAsync()
    {
        ChannelReader<TapMessage> messages = _messages.Reader;
        while (true)
        {
            if (!Turn(messages) && !await messages.WaitToReadAsync().ConfigureAwait(false))
                return;
        }
    }

    public void Dispose() => Scheduler.Dispose();

    /// <summary>One message, what is posted, what is due, a slice of the work. Nothing in it may wait for the kernel.</summary>
    /// <returns>Whether there is more to do at once.</returns>
    private bool Turn(ChannelReader<TapMessage> messages)
    {
        NeverWaits.Enter();
        try
        {
            Interlocked.Increment(ref _turns);
            bool busy = false;
            if (messages.TryRead(out TapMessage message))
            {
                busy = true;
                _handle(message);
            }

            while (_posted.Reader.TryRead(out Action? call))
                call();
            Scheduler.RunDue();
            busy |= RunWork(messages.Count > 0 ? BusySliceTicks : SliceTicks);
            _idle();
            return busy;
        }
        finally
        {
            NeverWaits.Leave(); // the thread is the pool's
        }
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
