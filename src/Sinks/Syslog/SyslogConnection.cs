using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace ConntrackStream.Sinks.Syslog;

/// <summary>An open way to the server. Used by one thread at a time.</summary>
internal abstract class SyslogConnection(Socket socket) : IDisposable
{
    private const int SOL_SOCKET = 1;
    private const int SO_MEMINFO = 55;
    private const int SK_MEMINFO_WMEM_ALLOC = 2;
    private const int SK_MEMINFO_WMEM_QUEUED = 5;
    private const int SK_MEMINFO_VARS = 9;

    private protected Socket Socket { get; } = socket;

    /// <summary>
    /// Everything sent has left this machine's queues: TCP's peer has acknowledged it, a Unix socket's reader has read it. (It shows
    /// nothing of UDP's way.)
    /// </summary>
    internal bool IsSettled
    {
        get
        {
            Span<uint> memory = stackalloc uint[SK_MEMINFO_VARS];
            Socket.GetRawSocketOption(SOL_SOCKET, SO_MEMINFO, MemoryMarshal.AsBytes(memory));
            return memory[SK_MEMINFO_WMEM_ALLOC] == 0 && memory[SK_MEMINFO_WMEM_QUEUED] == 0;
        }
    }

    /// <summary>The server has closed it, or it broke.</summary>
    internal virtual bool HasEnded => false;

    /// <summary>It ended, and the server has read everything before.</summary>
    internal virtual bool EndedInOrder => false;

    /// <summary>Sends messages, each ended by a line feed.</summary>
    /// <param name="done">Bytes of them that are sent; fewer than all without an exception: the reader is slow, go on later.</param>
    /// <param name="limit">Ends the wait for a slow reader.</param>
    /// <exception cref="OperationCanceledException">The wait has ended within a message: the connection is of no more use.</exception>
    /// <exception cref="SocketException">It broke.</exception>
    /// <exception cref="IOException">The same.</exception>
    internal abstract void Send(ReadOnlySpan<byte> lines, ref int done, CancellationToken limit);

    public virtual void Dispose() => Socket.Dispose();
}
