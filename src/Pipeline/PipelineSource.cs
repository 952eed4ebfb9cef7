using System.Threading.Channels;
using ConntrackStream.EventTap;
using ConntrackStream.Pipeline.Asking;
using ConntrackStream.Pipeline.Loop;

namespace ConntrackStream.Pipeline;

/// <summary>Where the pipeline's messages come from: the kernel (see <see cref="KernelSource"/>), or a recording.</summary>
public sealed class PipelineSource
{
    /// <summary>A recording, or anything else that only writes event batches: no barriers, no dumps, nothing to compare with.</summary>
    /// <param name="capacity">Messages (batches of up to 256 events) held at most.</param>
    public PipelineSource(int capacity = 256)
    {
        Channel<TapMessage> channel = Channel.CreateBounded<TapMessage>(new BoundedChannelOptions(capacity) { SingleReader = true });
        Messages = channel.Reader;
        Writer = new WakingWriter<TapMessage>(channel.Writer, Parker);
    }

    /// <summary>
    /// Where the producers write; it blocks them when the loop lags. Completing it ends the pipeline once all is handled.
    /// </summary>
    public ChannelWriter<TapMessage> Writer { get; }

    internal ChannelReader<TapMessage> Messages { get; }

    /// <summary>Where the loop sleeps while there is no message.</summary>
    internal ThreadParker Parker { get; } = new();

    internal KernelTable? Kernel { get; set; }

    internal Func<long, bool> RequestBarrier { get; set; } = static _ => false;

    /// <summary>True: events must come at once from now on; false: they may gather again.</summary>
    internal Action<bool> SetUrgent { get; set; } = static _ => { };

    /// <summary>Waits for room on a producer's own thread.</summary>
    internal void Write(TapMessage message)
    {
        while (!Writer.TryWrite(message))
        {
            if (!Writer.WaitToWriteAsync().AsTask().GetAwaiter().GetResult())
                throw new ChannelClosedException();
        }
    }
}
