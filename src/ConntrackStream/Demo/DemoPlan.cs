using System.Net;
using System.Net.Sockets;
using static ConntrackStream.Service.Demo.DemoAddresses;

namespace ConntrackStream.Service.Demo;

/// <summary>The flows of the demo, the same at every run: through the gateway both ways, with and without NAT, and within it.</summary>
internal static class DemoPlan
{
    /// <summary>First of the source ports and echo ids; below the kernel's own range (ip_local_port_range begins at 32768).</summary>
    internal const int FirstSourcePort = 20_001;

    /// <summary>The plan for one network, in the order in which the flows begin.</summary>
    internal static IReadOnlyList<DemoFlow> For(DemoNetwork network)
    {
        Builder plan = new();
        foreach ((IPAddress client, IPAddress server) in new[] { (Client4, Server4), (Client6, Server6) })
        {
            Way out_ = new(network.Client, client, network.Server, server);
            for (int i = 0; i < 4; i++)
                plan.Tcp(out_, 443, requestBytes: 400 + (100 * i), replyBytes: 8_000 * (i + 1), rounds: 1 + i);
            plan.Tcp(out_, 22, requestBytes: 64, replyBytes: 128, rounds: 3, DemoEnd.StayOpen);
            plan.Tcp(out_, 443, requestBytes: 300, replyBytes: 700, rounds: 1, DemoEnd.Reset);
            plan.Udp(out_, 53, requestBytes: 45, replyBytes: 230, rounds: 1);
            plan.Udp(out_, 53, requestBytes: 51, replyBytes: 180, rounds: 1);
            plan.Udp(out_, 123, requestBytes: 48, replyBytes: 48, rounds: 2);
            plan.Echo(out_, bytes: 56, rounds: 3);
        }

        Way published = new(network.Server, Server4, network.Client, Published.Address, GatewayWan4);
        plan.Tcp(published, Published.Port, requestBytes: 350, replyBytes: 12_000, rounds: 1, dialledPort: PublicPort);
        plan.Tcp(published, Published.Port, requestBytes: 360, replyBytes: 4_000, rounds: 2, DemoEnd.StayOpen, PublicPort);
        foreach (IPAddress loopback in new[] { IPAddress.Loopback, IPAddress.IPv6Loopback })
        {
            Way local = new(network.Gateway, loopback, network.Gateway, loopback);
            plan.Tcp(local, 5432, requestBytes: 200, replyBytes: 3_000, rounds: 5);
            plan.Tcp(local, 6379, requestBytes: 40, replyBytes: 10, rounds: 8);
            plan.Udp(local, 8125, requestBytes: 90, replyBytes: 1, rounds: 1);
            plan.Udp(local, 514, requestBytes: 160, replyBytes: 1, rounds: 2);
            plan.Echo(local, bytes: 56, rounds: 1);
        }

        return plan.Flows;
    }

    private sealed record Way(DemoHost From, IPAddress Source, DemoHost To, IPAddress Listener, IPAddress? Dialled = null);

    private sealed class Builder
    {
        internal List<DemoFlow> Flows { get; } = [];

        internal void Tcp(
            Way way, int port, int requestBytes, int replyBytes, int rounds, DemoEnd end = DemoEnd.Close, int? dialledPort = null) =>
            Add(ProtocolType.Tcp, way, port, dialledPort ?? port, requestBytes, replyBytes, rounds, end);

        internal void Udp(Way way, int port, int requestBytes, int replyBytes, int rounds) =>
            Add(ProtocolType.Udp, way, port, port, requestBytes, replyBytes, rounds, DemoEnd.Close);

        internal void Echo(Way way, int bytes, int rounds)
        {
            ProtocolType protocol = way.Source.AddressFamily == AddressFamily.InterNetwork ? ProtocolType.Icmp : ProtocolType.IcmpV6;
            Add(protocol, way, 0, 0, bytes, bytes, rounds, DemoEnd.Close);
        }

        private void Add(
            ProtocolType protocol, Way way, int port, int dialledPort, int requestBytes, int replyBytes, int rounds, DemoEnd end) =>
            Flows.Add(new DemoFlow(
                protocol, way.From, new IPEndPoint(way.Source, FirstSourcePort + Flows.Count),
                new IPEndPoint(way.Dialled ?? way.Listener, dialledPort), way.To, new IPEndPoint(way.Listener, port), requestBytes,
                replyBytes, rounds, end));
    }
}
