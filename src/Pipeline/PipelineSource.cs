using System.Threading.Channels;
using ConntrackStream.EventTap;
using ConntrackStream.Pipeline.Asking;

namespace ConntrackStream.Pipeline;

/// <summary>Where the pipeline's messages come from: the kernel (see <see cref="KernelSource"/>), or a recording.</summary>
public sealed class PipelineSource
{
    /// <summary>A recording, or anything else that only writes event batches: no barriers, no dumps, nothing to compare with.</summary>
    /// <param name="capacity">Messages (batches of up to 256 events) held at most.</param>
    public PipelineSource(int capacity = 256) => Messages = Channel.CreateBounded<TapMessage>(
        new BoundedChannelOptions(capacity) { SingleReader = true, AllowSynchronousContinuations = false });

    internal Channel<TapMessage> Messages { get; }

    /// <summary>
    /// Where the producers write; it blocks them when the loop lags. Completing it ends the pipeline once all is handled.
    /// </summary>
    public ChannelWriter<TapMessage> Writer => Messages.Writer;

    internal KernelTable? Kernel { get; set; }

    internal Func<long, bool> RequestBarrier { get; set; } = static _ => false;

    /// <summary>Waits for room on a producer's own thread.</summary>
    internal void Write(TapMessage message)
    {
        while (!Messages.Writer.TryWrite(message))
        {
            if (!Messages.Writer.WaitToWriteAsync().AsTask().GetAwaiter().GetResult())
                throw new ChannelClosedException();
        }
    }
}
