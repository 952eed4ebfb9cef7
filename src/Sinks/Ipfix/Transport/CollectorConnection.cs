using System.Net.Sockets;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.Streams;

namespace ConntrackStream.Sinks.Ipfix.Transport;

/// <summary>
/// An open way to a collector: a transport session of RFC 7011. Messages are sent by one thread, which waits while the socket's buffer is
/// full, at most for the time-out that the connection was opened with. Once sending has failed, it is of no use any more.
/// </summary>
internal abstract class CollectorConnection : IAsyncDisposable
{
    private readonly TaskCompletionSource<string> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Messages may be lost or come in another order: templates are sent again from time to time.</summary>
    internal abstract bool IsDatagram { get; }

    /// <summary>Completes with the reason when the connection is of no use any more.</summary>
    internal Task<string> Ended => _ended.Task;

    /// <summary>Hands whole messages to the kernel, in their order.</summary>
    /// <param name="messages">One behind the other.</param>
    /// <param name="lengths">Of each.</param>
    /// <returns>How many it has taken. If not all, the connection has ended.</returns>
    internal int Send(ReadOnlySpan<byte> messages, ReadOnlySpan<int> lengths)
    {
        int sent = 0;
        try
        {
            Send(messages, lengths, ref sent);
        }
        catch (Exception e) when (OneWayStream.IsFault(e))
        {
            End(Describe(e));
        }

        return sent;
    }

    /// <summary>Closes it, which ends a call that waits.</summary>
    public abstract ValueTask DisposeAsync();

    /// <inheritdoc cref="Send(ReadOnlySpan{byte}, ReadOnlySpan{int})"/>
    /// <param name="sent">To be raised by what the kernel has taken.</param>
    /// <exception cref="IOException">It takes no more; or another exception that <see cref="OneWayStream.IsFault"/> names.</exception>
    protected abstract void Send(ReadOnlySpan<byte> messages, ReadOnlySpan<int> lengths, ref int sent);

    /// <summary>To be called when it is found to be of no use.</summary>
    protected void End(string reason) => _ended.TrySetResult(reason);

    internal static string Describe(Exception e)
    {
        Exception inner = e.GetBaseException();
        return inner is SocketException { SocketErrorCode: SocketError.TimedOut or SocketError.WouldBlock }
            or NetlinkException { Errno: Errno.EAGAIN }
            ? "it takes nothing"
            : inner.Message;
    }
}
