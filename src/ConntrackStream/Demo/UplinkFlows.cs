using System.Net;
using System.Net.Sockets;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using static ConntrackStream.Service.Demo.UplinkAddresses;

namespace ConntrackStream.Service.Demo;

/// <summary>
/// The flows of the demo with two uplinks, all of them begun on wan1: TCP and UDP that are translated and UDP that is not, to the address
/// that the set gains, and TCP to another address.
/// </summary>
internal sealed class UplinkFlows : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);
    private static readonly IPEndPoint Web = new(Server, 443), Routed = new(Server, 444), RoutedBeside = new(
        Server, 445), OtherWeb = new(OtherServer, 443);

    private readonly UplinkNetwork _network;
    private readonly TimeProvider _time;
    private readonly ConntrackClient _table;
    private readonly UplinkTcp _tcp, _other;
    private readonly UplinkUdp _udp, _routed;
    private readonly (uint Id, uint Mark) _otherBefore;

    private UplinkFlows(UplinkNetwork network, UplinkTcp tcp, UplinkTcp other, TimeProvider time)
    {
        _network = network;
        _time = time;
        _tcp = tcp;
        _other = other;
        _udp = new UplinkUdp(network.Client, ClientPrivate, network.Server, Web, time);
        _routed = new UplinkUdp(network.Client, ClientPublic, network.Server, Routed, time);
        _table = network.Gateway.Namespace.Run(static () => new ConntrackClient());
        _otherBefore = Read(IpProtocol.Tcp, other.Source, other.Destination);
    }

    /// <summary>The uplinks of the TCP connection, of UDP and of untranslated UDP.</summary>
    internal (int Tcp, int Udp, int Routed) Now =>
        (UplinkOf(_tcp.Seen), UplinkOf(_udp.Seen), (int)(Read(IpProtocol.Udp, _routed.Source, _routed.Destination).Mark & 0x3f00) >> 8);

    internal int RoutedSent => _routed.Sent;

    internal int RoutedLost => _routed.Lost;

    /// <summary>The flow to the other address has the same entry as at first.</summary>
    internal bool OtherIsAsBefore => Read(IpProtocol.Tcp, _other.Source, _other.Destination) == _otherBefore;

    /// <exception cref="IOException">A connection could not be made.</exception>
    internal static async Task<UplinkFlows> BeginAsync(UplinkNetwork network, TimeProvider time, CancellationToken cancellationToken)
    {
        UplinkTcp tcp = await OpenAsync(network, Web, time, cancellationToken);
        UplinkTcp other = await OpenAsync(network, OtherWeb, time, cancellationToken);
        UplinkFlows flows = new(network, tcp, other, time);
        await flows.TalkAsync(cancellationToken);
        return flows;
    }

    /// <summary>A packet of each UDP flow, and its answer.</summary>
    internal async Task TalkAsync(CancellationToken cancellationToken)
    {
        await _udp.ExchangeAsync(cancellationToken);
        await _routed.ExchangeAsync(cancellationToken);
    }

    /// <summary>A flow of the untranslated client that begins on the right uplink: it shows that its source is answered there.</summary>
    internal async Task BeginBesideAsync(CancellationToken cancellationToken)
    {
        using UplinkUdp beside = new(_network.Client, ClientPublic, _network.Server, RoutedBeside, _time);
        await beside.ExchangeAsync(cancellationToken);
    }

    /// <summary>
    /// The next segment of the TCP connection, a download whose pace is the server's. True when its client has been reset.
    /// </summary>
    internal bool DownloadIsReset() => _tcp.DownloadIsReset();

    /// <summary>A new TCP connection to the same port.</summary>
    /// <returns>Its uplink.</returns>
    internal async Task<int> ReconnectAsync(CancellationToken cancellationToken)
    {
        using UplinkTcp again = await OpenAsync(_network, Web, _time, cancellationToken);
        return UplinkOf(again.Seen);
    }

    public void Dispose()
    {
        _table.Dispose();
        _tcp.Dispose();
        _other.Dispose();
        _udp.Dispose();
        _routed.Dispose();
    }

    private static async Task<UplinkTcp> OpenAsync(
        UplinkNetwork network, IPEndPoint to, TimeProvider time, CancellationToken cancellationToken)
    {
        using CancellationTokenSource patience = new(Patience, time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            return await UplinkTcp.OpenAsync(network.Client, ClientPrivate, network.Server, to, either.Token);
        }
        catch (Exception e) when (e is SocketException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new IOException($"the demo's connection {ClientPrivate} → {to} failed: {e.Message}", e);
        }
    }

    private (uint Id, uint Mark) Read(IpProtocol protocol, IPEndPoint source, IPEndPoint destination)
    {
        FlowTuple tuple = new()
        {
            Family = FlowFamily.IPv4,
            Protocol = protocol,
            Source = IpAddress.From(source.Address),
            SourcePort = (ushort)source.Port,
            Destination = IpAddress.From(destination.Address),
            DestinationPort = (ushort)destination.Port,
        };
        FlowBatch row = new();
        return _table.TryGet(tuple, row) ? (row.Span[0].Flow.Id, row.Span[0].Flow.Mark) : default;
    }
}
