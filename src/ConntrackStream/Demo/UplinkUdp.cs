using System.Net;
using System.Net.Sockets;

namespace ConntrackStream.Service.Demo;

/// <summary>Requests and answers over UDP, both ends.</summary>
internal sealed class UplinkUdp : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(200); // an answer takes well under a millisecond

    private readonly Socket _client, _server;
    private readonly byte[] _buffer = new byte[100];
    private readonly TimeProvider _time;

    internal UplinkUdp(DemoHost from, IPAddress source, DemoHost to, IPEndPoint destination, TimeProvider time)
    {
        _time = time;
        Destination = destination;
        _server = to.Open(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        _client = from.Open(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            _server.Bind(destination);
            _client.Bind(new IPEndPoint(source, 0));
            _client.Connect(destination);
            Source = (IPEndPoint)_client.LocalEndPoint!;
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    internal IPEndPoint Source { get; } = null!;

    internal IPEndPoint Destination { get; }

    /// <summary>The client, as the server last saw it.</summary>
    internal IPAddress Seen { get; private set; } = IPAddress.Any;

    internal int Sent { get; private set; }

    internal int Lost { get; private set; }

    internal async Task ExchangeAsync(CancellationToken cancellationToken)
    {
        using CancellationTokenSource patience = new(Patience, _time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        Sent++;
        try
        {
            await _client.SendAsync(_buffer, SocketFlags.None, either.Token);
            SocketReceiveFromResult request = await _server.ReceiveFromAsync(_buffer, SocketFlags.None, Source, either.Token);
            Seen = ((IPEndPoint)request.RemoteEndPoint).Address;
            await _server.SendToAsync(_buffer, SocketFlags.None, request.RemoteEndPoint, either.Token);
            await _client.ReceiveAsync(_buffer, SocketFlags.None, either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            Lost++;
        }
    }

    public void Dispose()
    {
        _client.Dispose();
        _server.Dispose();
    }
}
