using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Files;

namespace ConntrackStream.Service.Hosting;

/// <summary>
/// Keeps a second instance from serving the same network namespace, whatever its directories: an abstract Unix socket, whose name each
/// network namespace has for itself, also where two containers share one. The kernel frees it with the process, however it ends.
/// </summary>
/// <remarks>
/// Any program in the namespace can take the name. One of another user than root and the service's own is named in the log and does not
/// keep the service from starting.
/// </remarks>
internal sealed class InstanceLock : IDisposable
{
    internal const string Name = "conntrack-stream/instance";

    private const int SOL_SOCKET = 1, SO_PEERCRED = 17;
    private const int Attempts = 20; // another instance that starts at this moment is bound, but does not listen yet
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(25);

    private readonly Socket _socket;
    private readonly Task _answering;

    private InstanceLock(Socket socket, Task answering) => (_socket, _answering) = (socket, answering);

    /// <returns>The lock; null when a stranger has its name.</returns>
    /// <exception cref="IOException">Another instance holds it.</exception>
    internal static async Task<InstanceLock?> TakeAsync(
        NetworkNamespace networkNamespace, TimeProvider time, ILogger logger, CancellationToken cancellation)
    {
        for (int attempt = 1; ; attempt++)
        {
            if (TryTake(networkNamespace) is { } taken)
                return taken;
            switch (Holder(networkNamespace))
            {
                case ({ } pid, { } uid) when uid == 0 || uid == FileTrust.OwnUser:
                    string process = pid == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" (process {pid})");
                    throw new IOException($"another conntrack-stream serves this network namespace already{process}");
                case (_, { } uid):
                    ServiceLog.LockTaken(logger, string.Create(CultureInfo.InvariantCulture, $"a program of user {uid}"));
                    return null;
                case var _ when attempt == Attempts:
                    ServiceLog.LockTaken(logger, "a program that does not answer");
                    return null;
            }

            await Task.Delay(Pause, time, cancellation).ConfigureAwait(false);
        }
    }

    public void Dispose()
    {
        _socket.Dispose();
        _answering.GetAwaiter().GetResult();
    }

    private static InstanceLock? TryTake(NetworkNamespace networkNamespace)
    {
        Socket socket = NamespaceSocket.OpenUnix(networkNamespace);
        try
        {
            socket.Bind(new UnixDomainSocketEndPoint('\0' + Name));
            socket.Listen();
            return new InstanceLock(socket, AnswerAsync(socket));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            socket.Dispose();
            return null;
        }
    }

    /// <summary>Lets those who ask who holds it go at once, so that there is always room for the next.</summary>
    private static async Task AnswerAsync(Socket socket)
    {
        try
        {
            while (true)
                (await socket.AcceptAsync().ConfigureAwait(false)).Dispose();
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The lock is given up.
        }
    }

    /// <summary>
    /// Who listens there, as the kernel knows it; process 0 is one that cannot be seen from here. Nulls when there is none.
    /// </summary>
    private static (int? Pid, uint? Uid) Holder(NetworkNamespace networkNamespace)
    {
        using Socket socket = NamespaceSocket.OpenUnix(networkNamespace);
        socket.Blocking = false;
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint('\0' + Name));
        }
        catch (SocketException)
        {
            return (null, null);
        }

        Span<byte> ucred = stackalloc byte[12]; // struct ucred: pid, uid, gid
        socket.GetRawSocketOption(SOL_SOCKET, SO_PEERCRED, ucred);
        return BitConverter.IsLittleEndian
            ? (BinaryPrimitives.ReadInt32LittleEndian(ucred), BinaryPrimitives.ReadUInt32LittleEndian(ucred[4..]))
            : (BinaryPrimitives.ReadInt32BigEndian(ucred), BinaryPrimitives.ReadUInt32BigEndian(ucred[4..]));
    }
}
