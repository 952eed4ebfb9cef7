using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Otlp.Records;
using ConntrackStream.Sinks.Otlp.Transport;

namespace ConntrackStream.Sinks.Otlp;

/// <summary>Sends the queue's requests, in their order, on a task of its own.</summary>
/// <param name="marker">Of the latest record accepted; null: it is kept nowhere.</param>
/// <param name="onLoss">Called when records are lost, so that a gap reports it though no record follows.</param>
internal sealed class LogExporter(
    RequestQueue queue, Delivery delivery, OtlpCounters counters, LastWrittenMarker? marker, Action onLoss, TimeProvider time,
    ILogger logger) : IAsyncDisposable
{
    private static readonly TimeSpan LastAttempt = TimeSpan.FromSeconds(2); // for what is left at the end

    private readonly SemaphoreSlim _wake = new(0);
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;
    private volatile bool _isEnding;
    private UntoldLoss _inHand; // of a request whose fate the end left open
    private long _latest; // accepted, ns since the Unix epoch
    private TaskCompletionSource _progress = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal Delivery Delivery => delivery;

    /// <summary>
    /// Completes when a request is done, or <see cref="Proceed"/> is called. To be read before the question whose answer may change.
    /// </summary>
    internal Task Progress => Volatile.Read(ref _progress).Task;

    /// <summary>Who waits for progress looks again.</summary>
    internal void Proceed() =>
        Interlocked.Exchange(ref _progress, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();

    internal void Start() => _running = Task.Run(RunAsync);

    /// <summary>There may be a request.</summary>
    internal void Wake()
    {
        if (_wake.CurrentCount == 0)
            _wake.Release();
    }

    public async ValueTask DisposeAsync()
    {
        _isEnding = true;
        _wake.Release();
        await Task.WhenAny(_running, Task.Delay(LastAttempt, time, _stop.Token)).ConfigureAwait(false);
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        counters.NoRoom += _inHand.Fresh;
        long left = queue.GiveUp() + _inHand.Lost;
        if (left > 0)
            logger.LostAtEnd(left);
        if (_latest != 0)
            Mark(unreportedFrom: _inHand.From, isLast: true);
        delivery.Dispose();
        _stop.Dispose();
        _wake.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            while (!(_isEnding && !queue.HasRequest))
            {
                if (queue.TryTake() is { } request)
                    await SendAsync(request).ConfigureAwait(false);
                else
                    await _wake.WaitAsync(_stop.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The time at the end is over.
        }
    }

    private async Task SendAsync(RequestBuffer request)
    {
        _inHand = request.Inside;
        Memory<byte> message = request.Complete();
        ExportResult result = await delivery.SendAsync(message, _stop.Token).ConfigureAwait(false);
        _inHand = default;
        if (result.Outcome == ExportOutcome.Accepted)
            Accepted(request, message.Length - RequestBuffer.FrameBytes, result.Rejected);
        else
            Refused(request);
        queue.Return(request);
        if (queue.UntoldFrom != 0)
            onLoss(); // there may be room for its gap now
        Proceed();
    }

    private void Accepted(RequestBuffer request, int bytes, long rejected)
    {
        long lost = Math.Min(rejected, request.Records);
        if (lost > 0)
            Lose(request.Inside with { Lost = lost, Fresh = 0 });
        counters.Records += request.Records - lost;
        counters.Gaps += request.Gaps;
        counters.Bytes += bytes;
        counters.Rejected += lost;
        _latest = Math.Max(_latest, request.Latest);
        Mark(request.UnreportedFrom, isLast: false);
    }

    private void Refused(RequestBuffer request)
    {
        Lose(request.Inside); // its gap is on the way when the figures say so
        counters.Refused += request.Inside.Fresh;
    }

    private void Lose(UntoldLoss loss)
    {
        queue.AddLoss(loss);
        onLoss();
    }

    /// <summary>Where the next run's gap begins: before all that is not in an accepted request.</summary>
    private void Mark(long unreportedFrom, bool isLast)
    {
        long untold = queue.UntoldFrom;
        long from = _latest;
        foreach (long missing in (ReadOnlySpan<long>)[unreportedFrom, untold])
            from = missing == 0 ? from : Math.Min(from, missing);
        if (from != 0)
            marker?.Written(from, isLast);
    }
}
