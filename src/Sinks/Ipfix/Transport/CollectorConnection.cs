using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
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

    /// <summary>Hands a whole message to the kernel; false when that fails, which ends the connection.</summary>
    internal bool TrySend(ReadOnlySpan<byte> message, [NotNullWhen(false)] out string? fault)
    {
        fault = null;
        try
        {
            Send(message);
        }
        catch (Exception e) when (OneWayStream.IsFault(e))
        {
            fault = Describe(e);
            End(fault);
        }

        return fault is null;
    }

    /// <summary>Closes it, which ends a call that waits.</summary>
    public abstract ValueTask DisposeAsync();

    /// <exception cref="IOException">It cannot be sent; or another exception that <see cref="OneWayStream.IsFault"/> names.</exception>
    protected abstract void Send(ReadOnlySpan<byte> message);

    /// <summary>To be called when it is found to be of no use.</summary>
    protected void End(string reason) => _ended.TrySetResult(reason);

    internal static string Describe(Exception e)
    {
        Exception inner = e.GetBaseException();
        return inner is SocketException { SocketErrorCode: SocketError.TimedOut or SocketError.WouldBlock }
            ? "it takes nothing"
            : inner.Message;
    }
}
