using System.Net.Sockets;
using System.Runtime.InteropServices;
using ConntrackStream.Pipeline.Files;

namespace ConntrackStream.Sinks.Reclassify.External;

/// <summary>A program that listens on a Unix stream socket. It was not started here and is not ended here.</summary>
internal sealed class SocketPeer : ExternalPeer
{
    private const int SOL_SOCKET = 1;
    private const int SO_PEERCRED = 17;

    private readonly NetworkStream _stream;
    private readonly string _path;

    private SocketPeer(Socket socket, string path)
    {
        _stream = new NetworkStream(socket, ownsSocket: true);
        _path = path;
    }

    internal override string Text => $"connected to {_path}";

    internal override Stream Questions => _stream;

    internal override Stream Answers => _stream;

    /// <param name="path">The socket.</param>
    /// <param name="user">Who may listen, besides root and the service's own user.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="SocketException">Nobody listens.</exception>
    /// <exception cref="ExternalClassifierException">Somebody else listens.</exception>
    internal static async ValueTask<SocketPeer> ConnectAsync(string path, string user, CancellationToken cancellationToken)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken).ConfigureAwait(false);
            uint listener = Listener(socket);
            if (listener != 0 && listener != FileTrust.OwnUser && listener != ProcessCalls.FindUser(user))
                throw new ExternalClassifierException(
                    $"user {listener} listens on {path}; only root and {user} may (Reclassify:External:User)");
            return new SocketPeer(socket, path);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    internal override ValueTask<string?> EndAsync()
    {
        _stream.Dispose();
        return ValueTask.FromResult<string?>(null);
    }

    /// <summary>Who called listen(2): struct ucred is pid, uid, gid.</summary>
    private static uint Listener(Socket socket)
    {
        Span<byte> credentials = stackalloc byte[12];
        socket.GetRawSocketOption(SOL_SOCKET, SO_PEERCRED, credentials);
        return MemoryMarshal.Read<uint>(credentials[4..]);
    }
}
