using System.Threading.Channels;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Pipeline;

/// <summary>
/// Between the loop and one sink: a bounded queue of batches and the sink's own task. The loop never waits here: what does not fit is
/// dropped and counted, and the sink is told of it by a gap before the next batch that fits.
/// </summary>
internal sealed class SinkQueue : IObserver<FlowChangeBatch>
{
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(30);

    private readonly IFlowSink _sink;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Channel<FlowChangeBatch> _queue;
    private readonly CancellationTokenSource _abort = new();

    // Used by the loop only.
    private long _gapFrom;
    private long _gapTo;
    private long _gapLost;

    // Used by the sink's task only.
    private TimeSpan _backoff = FirstBackoff;
    private LossInSink _failed;

    private Task _run = Task.CompletedTask;
    private long _dropped;
    private long _written;

    /// <param name="capacity">Batches held at most.</param>
    public SinkQueue(IFlowSink sink, int capacity, TimeProvider time, ILogger logger)
    {
        _sink = sink;
        _time = time;
        _logger = logger;
        _queue = Channel.CreateBounded<FlowChangeBatch>(new BoundedChannelOptions(capacity) { SingleReader = true, SingleWriter = true });
    }

    public string Name => _sink.Name;

    /// <summary>Changes dropped since the start: queue full, or the sink failed on them.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Changes the sink took since the start.</summary>
    public long Written => Interlocked.Read(ref _written);

    /// <summary>Batches waiting.</summary>
    public int Waiting => _queue.Reader.Count;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await _sink.StartAsync(cancellationToken).ConfigureAwait(false);
        _run = Task.Run(RunAsync, CancellationToken.None);
    }

    /// <summary>No more changes come: the sink writes what is queued, for <paramref name="patience"/> at most.</summary>
    public async Task StopAsync(TimeSpan patience)
    {
        _queue.Writer.TryComplete();
        try
        {
            await _run.WaitAsync(patience, _time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            await _abort.CancelAsync().ConfigureAwait(false);
            _logger.SinkNotDrained(Name, patience.TotalSeconds, Discard());
        }

        await _sink.DisposeAsync().ConfigureAwait(false);
    }

    public void OnNext(FlowChangeBatch value)
    {
        if (_gapLost > 0 && !TryTellGap())
        {
            Drop(value);
            return;
        }

        value.Retain();
        if (_queue.Writer.TryWrite(value))
            return;
        value.Release();
        Drop(value);
    }

    public void OnCompleted() => _queue.Writer.TryComplete();

    public void OnError(Exception error) => _queue.Writer.TryComplete(error);

    private void Drop(FlowChangeBatch batch)
    {
        ReadOnlySpan<FlowChange> changes = batch.Span;
        if (_gapLost == 0)
        {
            _gapFrom = changes[0].Time;
            _logger.SinkBehind(Name);
        }

        _gapTo = Now();
        _gapLost += changes.Length;
        Interlocked.Add(ref _dropped, changes.Length);
    }

    private bool TryTellGap()
    {
        if (!_queue.Writer.TryWrite(GapBatch(new FlowGap(FlowGapReason.SinkQueueFull, _gapFrom, _gapTo, _gapLost, Recovered: null))))
            return false;
        _gapLost = 0;
        return true;
    }

    private async Task RunAsync()
    {
        ChannelReader<FlowChangeBatch> reader = _queue.Reader;
        while (await reader.WaitToReadAsync(_abort.Token).ConfigureAwait(false))
        {
            while (reader.TryRead(out FlowChangeBatch? batch))
            {
                await TryAsync(() => WriteAsync(batch), batch.Count).ConfigureAwait(false);
                batch.Release();
            }

            await TryAsync(() => _sink.FlushAsync(_abort.Token), changes: 0).ConfigureAwait(false);
        }

        await TryAsync(() => _sink.FlushAsync(_abort.Token), changes: 0).ConfigureAwait(false);
    }

    private async ValueTask WriteAsync(FlowChangeBatch batch)
    {
        if (_failed.Lost > 0)
        {
            FlowChangeBatch gap = GapBatch(new FlowGap(FlowGapReason.SinkFailed, _failed.From, _failed.To, _failed.Lost, Recovered: null));
            await _sink.WriteAsync(gap, _abort.Token).ConfigureAwait(false);
            _failed = default;
        }

        await _sink.WriteAsync(batch, _abort.Token).ConfigureAwait(false);
        Interlocked.Add(ref _written, batch.Count);
        _backoff = FirstBackoff;
    }

    /// <summary>The boundary to foreign code: a sink may throw anything, and must not hurt the tap or another sink.</summary>
    private async ValueTask TryAsync(Func<ValueTask> call, int changes)
    {
        try
        {
            await call().ConfigureAwait(false);
        }
        catch (Exception e) when (!_abort.IsCancellationRequested)
        {
            long now = Now();
            _failed = new LossInSink(_failed.Lost == 0 ? now : _failed.From, now, _failed.Lost + changes);
            _logger.SinkFailed(e, Name, Interlocked.Add(ref _dropped, changes), _backoff.TotalSeconds);
            await Task.Delay(_backoff, _time, _abort.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _backoff = _backoff * 2 < LongestBackoff ? _backoff * 2 : LongestBackoff;
        }
    }

    private long Discard()
    {
        long left = 0;
        while (_queue.Reader.TryRead(out FlowChangeBatch? batch))
        {
            left += batch.Count;
            batch.Release();
        }

        Interlocked.Add(ref _dropped, left);
        return left;
    }

    private static FlowChangeBatch GapBatch(FlowGap gap)
    {
        FlowChangeBatch batch = new();
        ref FlowChange change = ref batch.Add();
        change.Kind = FlowChangeKind.Gap;
        change.Gap = gap;
        change.Time = gap.To;
        change.Start = gap.From;
        change.End = gap.To;
        return batch;
    }

    private long Now() => _time.UnixNanoseconds();

    private readonly record struct LossInSink(long From, long To, long Lost);
}
