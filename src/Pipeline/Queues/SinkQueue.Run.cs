using System.Threading.Channels;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Pipeline.Queues;

// The sink's task.
internal sealed partial class SinkQueue
{
    private async Task RunAsync()
    {
        ChannelReader<FlowChangeBatch> reader = _queue.Reader;
        try
        {
            while (await reader.WaitToReadAsync(_abort.Token).ConfigureAwait(false))
            {
                while (!_abort.IsCancellationRequested && reader.TryRead(out FlowChangeBatch? batch))
                {
                    await TryAsync(() => WriteAsync(batch), batch).ConfigureAwait(false);
                    batch.Release();
                    AfterTake();
                }

                await TryAsync(() => _sink.FlushAsync(_abort.Token), batch: null).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_abort.IsCancellationRequested)
        {
            // The end is below.
        }

        await EndAsync().ConfigureAwait(false);
    }

    /// <summary>
    /// The loop is done, so what it has refused is ours: the last gaps. When time is up, one attempt is left, with all that remains as a
    /// gap.
    /// </summary>
    private async Task EndAsync()
    {
        while (!_abort.IsCancellationRequested && !(_refused.IsEmpty && _failed.IsEmpty))
            await TryAsync(WriteGapsAsync, batch: null).ConfigureAwait(false);
        if (_abort.IsCancellationRequested)
        {
            Interlocked.Add(ref _dropped, DiscardQueue());
            await TryAsync(WriteGapsAsync, batch: null).ConfigureAwait(false);
        }

        await TryAsync(() => _sink.FlushAsync(_abort.Token), batch: null).ConfigureAwait(false);
    }

    private async ValueTask WriteAsync(FlowChangeBatch batch)
    {
        await WriteFailedGapAsync(batch).ConfigureAwait(false);
        Volatile.Write(ref _inHand, batch.Count);
        await _sink.WriteAsync(batch, _abort.Token).ConfigureAwait(false);
        Volatile.Write(ref _inHand, 0);
        Interlocked.Add(ref _written, batch.Count);
        Interlocked.Increment(ref _taken);
        _backoff = FirstBackoff;
    }

    private async ValueTask WriteFailedGapAsync(FlowChangeBatch? before)
    {
        if (_failed.IsEmpty)
            return;
        await _sink.WriteAsync(GapBatch(_failed.ToGap(FlowGapReason.SinkFailed), before), _abort.Token).ConfigureAwait(false);
        _failed = default;
    }

    private async ValueTask WriteGapsAsync()
    {
        await WriteFailedGapAsync(before: null).ConfigureAwait(false);
        if (_refused.IsEmpty)
            return;
        await _sink.WriteAsync(GapBatch(_refused.ToGap(FlowGapReason.SinkQueueFull), before: null), _abort.Token).ConfigureAwait(false);
        _refused = default;
    }

    /// <summary>The boundary to foreign code: a sink may throw anything, and must not hurt the tap or another sink.</summary>
    private async ValueTask TryAsync(Func<ValueTask> call, FlowChangeBatch? batch)
    {
        Volatile.Write(ref _isInCall, true);
        try
        {
            await call().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            long dropped = Interlocked.Add(ref _dropped, batch is null ? 0 : Add(ref _failed, batch));
            if (_abort.IsCancellationRequested)
                return; // most likely only because of that
            if (_failureWarnings.IsDue(out long failures))
                _logger.SinkFailed(e, Name, failures, dropped, _backoff.TotalSeconds);
            await Task.Delay(_backoff, _time, _abort.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _backoff = _backoff * 2 < LongestBackoff ? _backoff * 2 : LongestBackoff;
        }
        finally
        {
            Volatile.Write(ref _isInCall, false);
        }
    }
}
