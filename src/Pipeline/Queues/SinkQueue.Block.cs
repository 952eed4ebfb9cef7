using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Pipeline.Queues;

// How long the loop, where WhenFull.Block asks for it, and the end wait for the sink.
internal sealed partial class SinkQueue
{
    private readonly bool _blocks;
    private readonly CancellationTokenSource _hurry = new();

    /// <summary>Neither the loop nor the end waits for it any longer: what it has not taken is dropped. From any thread.</summary>
    public void Hurry() => _hurry.Cancel();

    /// <summary>The same, if the loop waits for it.</summary>
    public void StopBlocking()
    {
        if (_blocks)
            Hurry();
    }

    /// <returns>False: it must not wait, or the queue is closed.</returns>
    private bool WaitAndWrite(FlowChangeBatch batch)
    {
        try
        {
            while (_blocks && !_hurry.IsCancellationRequested
                && _writer.WaitToWriteAsync(_hurry.Token).AsTask().GetAwaiter().GetResult())
            {
                if (_writer.TryWrite(batch))
                    return true;
            }
        }
        catch (OperationCanceledException)
        {
            // The wait is over.
        }

        return false;
    }
}
