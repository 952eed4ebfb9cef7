using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace ConntrackStream.Sinks.Tests.Kafka;

/// <summary>
/// What librdkafka's brokers lack: TLS, and SASL before anything else is answered. Stands in front of one of them, and puts its own port in
/// the place of the broker's, so that clients stay here.
/// </summary>
internal sealed class SecureKafka : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentDictionary<TcpClient, Task> _clients = [];
    private readonly SslServerAuthenticationOptions? _tls;
    private readonly SaslServer? _sasl;
    private readonly int _port, _brokerPort;
    private readonly Task _accepting;

    /// <param name="tls">Null: none.</param>
    /// <param name="sasl">Null: none.</param>
    internal SecureKafka(MockKafka broker, SslServerAuthenticationOptions? tls, SaslServer? sasl = null)
    {
        (_tls, _sasl) = (tls, sasl);
        _brokerPort = int.Parse(Assert.Single(broker.Brokers).Split(':')[1], CultureInfo.InvariantCulture);
        _listener.Start();
        _port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync();
    }

    internal string[] Brokers => [$"127.0.0.1:{_port}"];

    /// <summary>Ends each connection; later ones are taken.</summary>
    internal void Disconnect()
    {
        foreach (TcpClient client in _clients.Keys)
            client.Close();
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _accepting; // the token ends it; without a listener, an accept that begins now would throw
        _listener.Dispose();
        await Task.WhenAll(_clients.Values);
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                TcpClient client = await _listener.AcceptTcpClientAsync(_end.Token);
                _clients[client] = ServeAsync(client);
            }
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using TcpClient broker = new();
        try
        {
            using NearSide near = new(await SecureAsync(client.GetStream()));
            await broker.ConnectAsync(IPAddress.Loopback, _brokerPort, _end.Token);
            ConcurrentDictionary<int, short> asked = [];
            await await Task.WhenAny(AskAsync(near, broker.GetStream(), asked), AnswerAsync(near, broker.GetStream(), asked));
        }
        catch (Exception e) when (e is IOException or SocketException or AuthenticationException or ObjectDisposedException
            or OperationCanceledException)
        {
            // One of the two has ended it, or was refused.
        }
        finally
        {
            client.Close();
        }
    }

    private async Task<Stream> SecureAsync(Stream client)
    {
        if (_tls is null)
            return client;
        SslStream secured = new(client);
        await secured.AuthenticateAsServerAsync(_tls, _end.Token);
        return secured;
    }

    /// <param name="asked">Gets the key of each request, by its number.</param>
    private async Task AskAsync(NearSide near, Stream broker, ConcurrentDictionary<int, short> asked)
    {
        bool isKnown = _sasl is null;
        Func<byte[], byte[]?> conversation = static _ => null;
        while (true)
        {
            byte[] request = await near.ReadAsync(_end.Token);
            switch (KafkaFrame.KeyOf(request))
            {
                case KafkaFrame.SaslHandshake when _sasl is not null:
                    conversation = _sasl.Begin(KafkaFrame.MechanismOf(request));
                    await near.WriteAsync(KafkaFrame.Mechanisms(request, _sasl.Mechanisms), _end.Token);
                    break;
                case KafkaFrame.SaslAuthenticate:
                    byte[]? said = conversation(KafkaFrame.SaidIn(request));
                    isKnown = said is not null;
                    await near.WriteAsync(KafkaFrame.Authenticated(request, said), _end.Token);
                    break;
                case var key when isKnown || key == KafkaFrame.ApiVersions:
                    asked[KafkaFrame.NumberOf(request)] = key;
                    await KafkaFrame.WriteAsync(broker, request, _end.Token);
                    break;
                default:
                    return; // as brokers do
            }
        }
    }

    private async Task AnswerAsync(NearSide near, Stream broker, ConcurrentDictionary<int, short> asked)
    {
        while (true)
        {
            byte[] answer = await KafkaFrame.ReadAsync(broker, _end.Token);
            asked.TryRemove(System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(answer), out short key);
            if (key is KafkaFrame.Metadata or KafkaFrame.FindCoordinator)
                KafkaFrame.ReplacePort(answer, _brokerPort, _port);
            else if (key == KafkaFrame.ApiVersions && _sasl is not null)
                answer = KafkaFrame.WithSasl(answer);
            await near.WriteAsync(answer, _end.Token);
        }
    }

    /// <summary>The client's connection. It asks on before it has its answers, which are the broker's and this one's own.</summary>
    private sealed class NearSide(Stream stream) : IDisposable
    {
        private readonly SemaphoreSlim _writes = new(1); // SslStream takes one at a time

        internal Task<byte[]> ReadAsync(CancellationToken cancellation) => KafkaFrame.ReadAsync(stream, cancellation);

        internal async Task WriteAsync(byte[] answer, CancellationToken cancellation)
        {
            await _writes.WaitAsync(cancellation);
            try
            {
                await KafkaFrame.WriteAsync(stream, answer, cancellation);
            }
            finally
            {
                _writes.Release();
            }
        }

        public void Dispose()
        {
            stream.Dispose();
            _writes.Dispose();
        }
    }
}
