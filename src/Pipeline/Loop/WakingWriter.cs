using System.Threading.Channels;

namespace ConntrackStream.Pipeline.Loop;

/// <summary>
/// Writes to a channel whose only reader is a thread that sleeps in <paramref name="parker"/>, and not in the channel: a wait for the
/// channel itself would cost an allocation and a way through the thread pool each time.
/// </summary>
internal sealed class WakingWriter<T>(ChannelWriter<T> inner, ThreadParker parker) : ChannelWriter<T>
{
    public override bool TryWrite(T item)
    {
        if (!inner.TryWrite(item))
            return false;
        parker.Unpark();
        return true;
    }

    public override ValueTask<bool> WaitToWriteAsync(CancellationToken cancellationToken = default) =>
        inner.WaitToWriteAsync(cancellationToken);

    public override bool TryComplete(Exception? error = null)
    {
        bool isFirst = inner.TryComplete(error);
        parker.Unpark();
        return isFirst;
    }
}
