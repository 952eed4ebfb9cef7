using System.Net;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Service.Demo.Race;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>
/// An SCTP association through the gate, of raw packets: kernels without SCTP sockets track it all the same. Nobody sends HEARTBEAT, as on
/// a path that is busy.
/// </summary>
public sealed class SctpAssociation : IDisposable
{
    private const uint ClientTag = 0x11111111, ServerTag = 0x22222222;

    private readonly TcxGate _gate;
    private readonly RawSocket _client, _server;
    private readonly IPAddress _clientAddress, _serverAddress;
    private readonly ushort _clientPort, _serverPort;

    internal SctpAssociation(
        TcxGate gate, KernelNamespace client, IPAddress clientAddress, ushort clientPort, KernelNamespace server, IPAddress serverAddress,
        ushort serverPort, FlowTuple original, MapKey key)
    {
        (_gate, _clientAddress, _clientPort, _serverAddress, _serverPort) = (gate, clientAddress, clientPort, serverAddress, serverPort);
        (Original, Key) = (original, key);
        _client = new RawSocket(client, clientAddress, (int)IpProtocol.Sctp);
        _server = new RawSocket(server, serverAddress, (int)IpProtocol.Sctp);
        Ask(Packet.SctpInit, verificationTag: 0, ClientTag);
        Assert.True(Answer(Packet.SctpInitAck, ServerTag));
        Ask(Packet.SctpCookieEcho, ServerTag);
        Assert.True(Answer(Packet.SctpCookieAck));
    }

    /// <summary>In the node's table.</summary>
    public FlowTuple Original { get; }

    /// <summary>In the map.</summary>
    public MapKey Key { get; }

    /// <summary>The server sends DATA. Whether the gate let it pass.</summary>
    public bool DataArrives() => Answer(Packet.SctpData);

    public void Dispose()
    {
        _client.Dispose();
        _server.Dispose();
    }

    private void Ask(byte chunk, uint verificationTag, uint ownTag = 0)
    {
        long before = _gate.Counts.ForwardPassed;
        _client.Send(_serverAddress, Packet.Sctp(_clientPort, _serverPort, chunk, verificationTag, ownTag));
        Eventually.True(() => _gate.Counts.ForwardPassed > before);
    }

    private bool Answer(byte chunk, uint ownTag = 0)
    {
        GateCounts before = _gate.Counts;
        _server.Send(_clientAddress, Packet.Sctp(_serverPort, _clientPort, chunk, ClientTag, ownTag));
        Eventually.True(() => _gate.Counts.ReplyPassed + _gate.Counts.ReplyDropped > before.ReplyPassed + before.ReplyDropped);
        return _gate.Counts.ReplyPassed > before.ReplyPassed;
    }
}
