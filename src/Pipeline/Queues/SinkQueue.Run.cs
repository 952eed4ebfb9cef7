using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Pipeline.Queues;

// The sink's thread. It waits in the sink's calls, most of which are done when they return.
internal sealed partial class SinkQueue
{
    private void Run()
    {
        while (true)
        {
            bool isLast = _reader.Completion.IsCompleted; // asked first: what was written before is taken below
            bool hasTaken = false;
            while (!_abort.IsCancellationRequested && _reader.TryRead(out FlowChangeBatch? batch))
            {
                Try(static (queue, batch) => queue.Write(batch!), batch);
                batch.Release();
                AfterTake();
                hasTaken = true;
            }

            if (hasTaken)
                Try(static (queue, _) => queue.Flush(), batch: null);
            if (isLast || _abort.IsCancellationRequested)
                break;
            if (!hasTaken)
                _parker.Park();
        }

        End();
    }

    /// <summary>
    /// The loop is done, so what it has refused is ours: the last gaps. When time is up, one attempt is left, with all that remains as a
    /// gap.
    /// </summary>
    private void End()
    {
        while (!_abort.IsCancellationRequested && !(_refused.IsEmpty && _failed.IsEmpty))
            Try(static (queue, _) => queue.WriteGaps(), batch: null);
        if (_abort.IsCancellationRequested)
        {
            Interlocked.Add(ref _dropped, DiscardQueue());
            Try(static (queue, _) => queue.WriteGaps(), batch: null);
        }

        Try(static (queue, _) => queue.Flush(), batch: null);
    }

    private void Write(FlowChangeBatch batch)
    {
        WriteFailedGap(batch);
        Volatile.Write(ref _inHand, batch.Count);
        Wait(_sink.WriteAsync(batch, _abort.Token));
        Volatile.Write(ref _inHand, 0);
        Interlocked.Add(ref _written, batch.Count);
        Interlocked.Increment(ref _taken);
        _backoff.Reset();
    }

    private void WriteFailedGap(FlowChangeBatch? before)
    {
        if (_failed.IsEmpty)
            return;
        Wait(_sink.WriteAsync(GapBatch(_failed.ToGap(FlowGapReason.SinkFailed), before), _abort.Token));
        _failed = default;
    }

    private void WriteGaps()
    {
        WriteFailedGap(before: null);
        if (_refused.IsEmpty)
            return;
        Wait(_sink.WriteAsync(GapBatch(_refused.ToGap(FlowGapReason.SinkQueueFull), before: null), _abort.Token));
        _refused = default;
    }

    private void Flush() => Wait(_sink.FlushAsync(_abort.Token));

    private static void Wait(ValueTask call)
    {
        if (call.IsCompleted)
            call.GetAwaiter().GetResult();
        else
            call.AsTask().GetAwaiter().GetResult();
    }

    /// <summary>The boundary to foreign code: a sink may throw anything, and must not hurt the tap or another sink.</summary>
    private void Try(Action<SinkQueue, FlowChangeBatch?> call, FlowChangeBatch? batch)
    {
        Volatile.Write(ref _isInCall, true);
        try
        {
            call(this, batch);
        }
        catch (Exception e)
        {
            long dropped = Interlocked.Add(ref _dropped, batch is null ? 0 : Add(ref _failed, batch));
            if (_abort.IsCancellationRequested)
                return; // most likely only because of that
            TimeSpan wait = _backoff.Next();
            if (_failureWarnings.IsDue(out long failures))
                _logger.SinkFailed(e, Name, failures, dropped, wait.TotalSeconds);
            Task.Delay(wait, _time, _abort.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing).GetAwaiter().GetResult();
        }
        finally
        {
            Volatile.Write(ref _isInCall, false);
        }
    }
}
