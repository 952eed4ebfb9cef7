using System.Net.Sockets;
using ConntrackStream.Sinks.Files;

namespace ConntrackStream.Sinks.Syslog;

/// <summary>A message a datagram: UDP (RFC 5426), or a Unix socket such as /dev/log.</summary>
internal sealed class DatagramConnection : SyslogConnection
{
    private const int WaitMilliseconds = 100; // how late the limit may be noticed
    private const int FullMilliseconds = 10; // a device's queue is full: poll(2) does not wait for it

    internal DatagramConnection(Socket socket)
        : base(socket) => socket.Blocking = false;

    internal override void Send(ReadOnlySpan<byte> lines, ref int done, CancellationToken limit)
    {
        while (done < lines.Length)
        {
            int length = lines[done..].IndexOf((byte)'\n');
            if (!TrySend(lines.Slice(done, length), limit))
                return;
            done += length + 1;
        }
    }

    private bool TrySend(ReadOnlySpan<byte> message, CancellationToken limit)
    {
        while (true)
        {
            Socket.Send(message, SocketFlags.None, out SocketError error);
            if (error == SocketError.Success)
                return true;
            if (error is not (SocketError.WouldBlock or SocketError.NoBufferSpaceAvailable))
                throw new SocketException((int)error);
            if (limit.IsCancellationRequested)
                return false;
            if (error == SocketError.WouldBlock)
                Socket.Poll(TimeSpan.FromMilliseconds(WaitMilliseconds), SelectMode.SelectWrite);
            else
                FileCalls.Wait(FullMilliseconds);
        }
    }
}
