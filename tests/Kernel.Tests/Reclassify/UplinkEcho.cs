using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using ConntrackStream.Kernel.Tests.Kit;

namespace ConntrackStream.Kernel.Tests.Reclassify;

/// <summary>
/// Numbered requests and answers over UDP, both ends in the test's hands.
/// What is lost shows as a time-out (5 s), what is mixed up as another number.
/// </summary>
public sealed class UplinkEcho : IDisposable
{
    private const int Patience = 5000; // ms

    private readonly Socket _client;
    private readonly Socket _server;
    private readonly byte[] _buffer = new byte[4];
    private int _sent;
    private int _answered;
    private int _givenUp;

    internal UplinkEcho(KernelNamespace from, KernelNamespace to, IPEndPoint destination)
    {
        _server = Generator.Bound(to, destination.Address, (ushort)destination.Port);
        Destination = (IPEndPoint)_server.LocalEndPoint!;
        Seen = Any;
        _client = Generator.Bound(from, Any.Address, 0);
        _client.ReceiveTimeout = _server.ReceiveTimeout = Patience;
        _client.Connect(Destination);
        Source = (IPEndPoint)_client.LocalEndPoint!;
    }

    /// <summary>As the client sees them.</summary>
    public IPEndPoint Source { get; }

    /// <inheritdoc cref="Source"/>
    public IPEndPoint Destination { get; }

    /// <summary>Whom the last request came from, as the server saw it.</summary>
    public IPEndPoint Seen { get; private set; }

    /// <summary>The client's next number.</summary>
    public void Request()
    {
        BinaryPrimitives.WriteInt32LittleEndian(_buffer, ++_sent);
        _client.Send(_buffer);
    }

    /// <summary>The server receives the next request and answers it.</summary>
    public void Answer()
    {
        EndPoint from = Any;
        Assert.Equal(4, _server.ReceiveFrom(_buffer, ref from));
        Seen = (IPEndPoint)from;
        _server.SendTo(_buffer, from);
    }

    /// <summary>The client receives the next answer: to the request after the one answered last, or given up.</summary>
    public void Receive()
    {
        int number;
        do
        {
            Assert.Equal(4, _client.Receive(_buffer));
            number = BinaryPrimitives.ReadInt32LittleEndian(_buffer);
        }
        while (number <= _givenUp);
        Assert.Equal(++_answered, number);
    }

    /// <summary>So many requests, each answered before the next.</summary>
    public void Exchange(int times = 1)
    {
        for (int i = 0; i < times; i++)
        {
            Request();
            Answer();
            Receive();
        }
    }

    /// <summary>
    /// A request and its answer. False when the answer was lost, as it is when its entry goes while it is on its way. It is given up after
    /// 0.5 s: a client that were silent for longer than the reclassifier waits for a successor would have its move go unnoticed.
    /// </summary>
    public bool TryExchange()
    {
        Request();
        Answer();
        _client.ReceiveTimeout = 500;
        try
        {
            Receive();
            return true;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.TimedOut)
        {
            _answered = _givenUp = _sent;
            return false;
        }
        finally
        {
            _client.ReceiveTimeout = Patience;
        }
    }

    public void Dispose()
    {
        _client.Dispose();
        _server.Dispose();
    }

    private IPEndPoint Any => new(Destination.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any, 0);
}
