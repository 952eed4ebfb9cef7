using System.Net;
using System.Net.Sockets;

namespace ConntrackStream.Service.Demo;

/// <summary>An open TCP connection, both ends.</summary>
internal sealed class UplinkTcp : IDisposable
{
    private static readonly byte[] Segment = new byte[100];

    private readonly Socket _client, _server;
    private readonly byte[] _received = new byte[4096];

    private UplinkTcp(Socket client, Socket server)
    {
        _client = client;
        _server = server;
        Source = (IPEndPoint)client.LocalEndPoint!;
        Destination = (IPEndPoint)client.RemoteEndPoint!;
        Seen = ((IPEndPoint)server.RemoteEndPoint!).Address;
    }

    internal IPEndPoint Source { get; }

    internal IPEndPoint Destination { get; }

    /// <summary>The client, as the server sees it.</summary>
    internal IPAddress Seen { get; }

    /// <summary>Connects, and sends something there and back.</summary>
    internal static async Task<UplinkTcp> OpenAsync(
        DemoHost from, IPAddress source, DemoHost to, IPEndPoint destination, CancellationToken cancellationToken)
    {
        using Socket listener = to.Open(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await listener.BindAsync(destination, cancellationToken); // which earlier connections have, too
        listener.Listen(backlog: 1);
        Socket client = from.Open(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        Socket? server = null;
        try
        {
            client.Bind(new IPEndPoint(source, 0));
            await client.ConnectAsync(destination, cancellationToken);
            server = await listener.AcceptAsync(cancellationToken);
            await TransferAsync(client, server, cancellationToken);
            await TransferAsync(server, client, cancellationToken);
            return new UplinkTcp(client, server);
        }
        catch
        {
            client.Dispose();
            server?.Dispose();
            throw;
        }
    }

    /// <summary>The server sends a segment, the client takes what has come and sends nothing. True when it has been reset.</summary>
    internal bool DownloadIsReset()
    {
        try
        {
            _server.Send(Segment);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown)
        {
            // The server has been reset as well; what counts is the client.
        }

        try
        {
            while (_client.Available > 0)
                _client.Receive(_received);
            return _client.Poll(0, SelectMode.SelectRead) && _client.Receive(_received) == 0;
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset)
        {
            return true;
        }
    }

    public void Dispose()
    {
        _client.Dispose();
        _server.Dispose();
    }

    private static async Task TransferAsync(Socket from, Socket to, CancellationToken cancellationToken)
    {
        await from.SendAsync(Segment, SocketFlags.None, cancellationToken);
        byte[] buffer = new byte[Segment.Length];
        for (int received = 0; received < buffer.Length;)
            received += await to.ReceiveAsync(buffer.AsMemory(received), SocketFlags.None, cancellationToken);
    }
}
