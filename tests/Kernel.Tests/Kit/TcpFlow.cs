using System.Net;
using System.Net.Sockets;
using ConntrackStream.Service.Demo;

namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>An established TCP connection, both ends in the test's hands. Dispose closes what is still open, by FIN.</summary>
public sealed class TcpFlow : IDisposable
{
    private readonly Socket _client;
    private readonly Socket _server;

    private TcpFlow(Socket client, Socket server)
    {
        _client = client;
        _server = server;
        Source = (IPEndPoint)client.LocalEndPoint!;
        Destination = (IPEndPoint)client.RemoteEndPoint!;
        Seen = (IPEndPoint)server.RemoteEndPoint!;
    }

    /// <summary>As the client sees them.</summary>
    public IPEndPoint Source { get; }

    /// <inheritdoc cref="Source"/>
    public IPEndPoint Destination { get; }

    /// <summary>The client's end as the server sees it: translated, where the source is.</summary>
    public IPEndPoint Seen { get; }

    internal static TcpFlow Connect(KernelNamespace from, KernelNamespace to, IPAddress destination, ushort port, IPAddress? source = null)
    {
        using Socket listener = Open(to, destination);
        // earlier connections may have the port, too
        listener.BindAsync(new IPEndPoint(destination, port), TestContext.Current.CancellationToken).GetAwaiter().GetResult();
        listener.Listen(1);
        return Connect(from, (IPEndPoint)listener.LocalEndPoint!, listener, source);
    }

    /// <summary>To an address that is translated on the way to <paramref name="listener"/>.</summary>
    public static TcpFlow Connect(KernelNamespace from, IPEndPoint destination, Socket listener, IPAddress? source = null)
    {
        Socket client = Open(from, destination.Address);
        client.SendTimeout = client.ReceiveTimeout = 5000;
        client.NoDelay = true;
        if (source is not null)
            client.Bind(new IPEndPoint(source, 0));
        client.Connect(destination);
        if (!listener.Poll(TimeSpan.FromSeconds(5), SelectMode.SelectRead))
            throw new TimeoutException($"{destination} has accepted no connection");
        Socket server = listener.Accept();
        server.SendTimeout = server.ReceiveTimeout = 5000;
        return new TcpFlow(client, server);
    }

    /// <summary>A TCP socket of that namespace.</summary>
    public static Socket Open(KernelNamespace space, IPAddress like) =>
        space.Run(() => new Socket(like.AddressFamily, SocketType.Stream, ProtocolType.Tcp));

    /// <summary>Sends so many bytes there and the same number back.</summary>
    public void Exchange(int bytes = 1)
    {
        byte[] data = new byte[bytes];
        _client.Send(data);
        Receive(_server, data);
        _server.Send(data);
        Receive(_client, data);
    }

    /// <summary>
    /// Sends so many bytes from the client; what the system says of it. A reset is told once (ConnectionReset), then it is Shutdown
    /// (EPIPE).
    /// </summary>
    public SocketError TrySend(int bytes = 1) => Error(() => _client.Send(new byte[bytes]));

    /// <summary>Receives at the client what is there, else waits for 5 s (TimedOut). ConnectionReset after a reset.</summary>
    public SocketError TryReceive() => Error(() => _client.Receive(new byte[65536]));

    /// <summary>Whether a reset has come to the client that no call has told yet; data that waits is no reset.</summary>
    public bool ClientIsReset => _client.Poll(0, SelectMode.SelectError);

    /// <summary>Sends so many bytes from the server, without anybody reading them; what the system says of it.</summary>
    public SocketError TryPush(int bytes = 1) => Error(() => _server.Send(new byte[bytes]));

    /// <summary>Whether everything pushed has been acknowledged by the client's system.</summary>
    public bool PushIsAcknowledged => KitLibc.Unacknowledged(_server.SafeHandle) == 0;

    /// <summary>FIN from the client, FIN from the server; returns when both have seen the other's.</summary>
    public void Close()
    {
        _client.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, _server.Receive(new byte[1]));
        _server.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, _client.Receive(new byte[1]));
        Dispose();
    }

    /// <summary>FIN from the client alone.</summary>
    public void CloseClient() => _client.Shutdown(SocketShutdown.Send);

    /// <summary>RST from the client.</summary>
    public void Reset()
    {
        _client.LingerState = new LingerOption(enable: true, seconds: 0);
        Dispose();
    }

    public void Dispose()
    {
        _client.Dispose();
        _server.Dispose();
    }

    private static SocketError Error(Func<int> call)
    {
        try
        {
            call();
            return SocketError.Success;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode;
        }
    }

    private static void Receive(Socket socket, byte[] into)
    {
        for (int received = 0; received < into.Length;)
            received += socket.Receive(into, received, into.Length - received, SocketFlags.None);
    }
}
