using System.Threading.Channels;
using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Loop;

namespace ConntrackStream.Pipeline.Queues;

/// <summary>
/// Between the loop and one sink: a bounded queue of batches and the sink's own thread. Unless <see cref="WhenFull.Block"/> asks for it,
/// the loop never waits here: what does not fit is dropped and counted, and a gap reports it to the sink before the next batch that fits,
/// or at the end. What the pipeline makes itself need not be dropped: it asks <see cref="HasRoom"/> first.
/// </summary>
internal sealed partial class SinkQueue : IObserver<FlowChangeBatch>
{
    private static readonly TimeSpan AbortPatience = TimeSpan.FromSeconds(1); // for a sink to come back from a cancelled call

    private readonly IFlowSink _sink;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ChannelReader<FlowChangeBatch> _reader;
    private readonly ChannelWriter<FlowChangeBatch> _writer;
    private readonly ThreadParker _parker = new(); // where the sink's thread sleeps
    private readonly CancellationTokenSource _abort = new();

    // Used by the loop only; by the sink's thread once the queue is complete.
    private readonly WarningLimit _behindWarnings;
    private UntoldLoss _refused;

    // Used by the sink's thread only.
    private readonly WarningLimit _failureWarnings;
    private readonly Backoff _backoff = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));
    private UntoldLoss _failed;

    private Task _run = Task.CompletedTask;
    private long _dropped;
    private long _written;
    private int _inHand; // changes of the call under way

    /// <param name="capacity">Batches held at most.</param>
    /// <param name="onRoom">Called by the sink's thread when there is room again after <see cref="HasRoom"/> said no.</param>
    /// <param name="whenFull">See there.</param>
    public SinkQueue(
        IFlowSink sink, int capacity, TimeProvider time, ILogger logger, Action? onRoom = null, WhenFull whenFull = WhenFull.Drop)
    {
        _sink = sink;
        _blocks = whenFull == WhenFull.Block;
        _time = time;
        _logger = logger;
        _onRoom = onRoom;
        _mark = Math.Max(capacity / 2, 1);
        _behindWarnings = new WarningLimit(time);
        _failureWarnings = new WarningLimit(time);
        BoundedChannelOptions bounds = new(capacity) { SingleReader = true, SingleWriter = true };
        Channel<FlowChangeBatch> queue = Channel.CreateBounded<FlowChangeBatch>(bounds);
        _reader = queue.Reader;
        _writer = new WakingWriter<FlowChangeBatch>(queue.Writer, _parker);
        _abort.Token.UnsafeRegister(static parker => ((ThreadParker)parker!).Unpark(), _parker);
    }

    public string Name => _sink.Name;

    /// <summary>Changes dropped since the start: queue full, the sink failed on them, or the service ended before it took them.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Changes the sink took since the start.</summary>
    public long Written => Interlocked.Read(ref _written);

    /// <summary>Batches waiting.</summary>
    public int Waiting => _reader.Count;

    /// <summary>Ends with the sink's thread, when all is written or given up.</summary>
    public Task Ended => _run;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _sink.StartAsync(cancellationToken).ConfigureAwait(false);
        _run = OwnThread.Run(Name, Run);
    }

    /// <summary>No more changes come: the sink writes what it has, for <paramref name="patience"/> or until <see cref="Hurry"/>.</summary>
    public async Task StopAsync(TimeSpan patience)
    {
        _writer.TryComplete();
        long began = _time.GetTimestamp();
        if (!await EndsWithinAsync(patience, _hurry.Token).ConfigureAwait(false))
        {
            long before = Dropped;
            double seconds = Math.Round(_time.GetElapsedTime(began).TotalSeconds, 1);
            await _abort.CancelAsync().ConfigureAwait(false);
            // one that does not heed the token is left where it is
            if (!await EndsWithinAsync(AbortPatience, CancellationToken.None).ConfigureAwait(false))
                Interlocked.Add(ref _dropped, DiscardQueue() + Volatile.Read(ref _inHand));
            _logger.SinkNotDrained(Name, seconds, Dropped - before);
        }

        await _sink.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Nothing more is of interest, what waits included. From any thread.</summary>
    public void Abandon()
    {
        _writer.TryComplete();
        _abort.Cancel();
    }

    public void OnNext(FlowChangeBatch value)
    {
        if (!_refused.IsEmpty && !TryQueueGap(value))
        {
            Refuse(value);
            return;
        }

        value.Retain();
        if (_writer.TryWrite(value) || WaitAndWrite(value))
            return;
        value.Release();
        Refuse(value);
    }

    public void OnCompleted() => _writer.TryComplete();

    public void OnError(Exception error) => _writer.TryComplete(error);

    private void Refuse(FlowChangeBatch batch)
    {
        bool isFirst = _refused.IsEmpty;
        long dropped = Interlocked.Add(ref _dropped, Add(ref _refused, batch));
        if (isFirst && _behindWarnings.IsDue(out long gaps))
            _logger.SinkBehind(Name, gaps, dropped);
    }

    private bool TryQueueGap(FlowChangeBatch before)
    {
        if (!_writer.TryWrite(GapBatch(_refused.ToGap(FlowGapReason.SinkQueueFull), before)))
            return false;
        _refused = default;
        return true;
    }

    private async Task<bool> EndsWithinAsync(TimeSpan patience, CancellationToken hurry)
    {
        await _run.WaitAsync(patience, _time, hurry).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return _run.IsCompleted;
    }

    private long DiscardQueue()
    {
        long dropped = 0;
        while (_reader.TryRead(out FlowChangeBatch? batch))
        {
            dropped += Add(ref _failed, batch);
            batch.Release();
        }

        return dropped;
    }

    /// <returns>Changes not counted as dropped before.</returns>
    private long Add(ref UntoldLoss loss, FlowChangeBatch batch)
    {
        long now = _time.UnixNanoseconds();
        long before = loss.Fresh;
        foreach (ref readonly FlowChange change in batch.Span)
            loss.Add(change, now);
        return loss.Fresh - before;
    }

    /// <param name="before">The batch that the gap stands before; null at the end.</param>
    private static FlowChangeBatch GapBatch(FlowGap gap, FlowChangeBatch? before)
    {
        FlowChangeBatch batch = new() { UnreportedLossFrom = before?.UnreportedLossFrom ?? 0 };
        ref FlowChange change = ref batch.Add();
        change.Kind = FlowChangeKind.Gap;
        change.Gap = gap;
        change.Time = gap.To;
        change.Start = gap.From;
        change.End = gap.To;
        return batch;
    }
}
