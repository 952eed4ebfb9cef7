using System.Net;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>The kit against the kernel: what other tests rest upon.</summary>
public class KitTests
{
    [Fact]
    public void Every_protocol_becomes_an_entry_that_the_oracle_reads()
    {
        using KernelNamespace space = new();
        using EventCount events = new(space);
        Generator traffic = new(space);
        IPAddress here = IPAddress.Loopback, there = IPAddress.Parse("127.0.0.2"), here6 = IPAddress.IPv6Loopback;

        using TcpFlow tcp = traffic.Tcp();
        tcp.Exchange();
        traffic.Udp(here, 4000, answered: true);
        traffic.Udp(here6, 4000, answered: true);
        traffic.Echo(here, id: 77);
        traffic.Echo(here6, id: 78);
        traffic.Sctp(here, there, 5000, 5001);
        traffic.Gre(here, there);
        traffic.UdpLite(here, there, 6000, 6001);
        traffic.Raw(here, there, 253, "????????"u8);

        HashSet<OracleFlow> flows = Oracle.Dump(space);
        Assert.Equal(
            "Icmp 77>2048, Udp ?>4000, Udp ?>4000, Gre 0>0, IcmpV6 78>32768, Sctp 5000>5001, UdpLite 6000>6001, 253 0>0",
            string.Join(", ", flows.Select(flow => flow.Original).Where(tuple => tuple.Protocol != IpProtocol.Tcp)
                .OrderBy(tuple => tuple.Protocol)
                .Select(
                    tuple => $"{tuple.Protocol} {(tuple.Protocol == IpProtocol.Udp ? "?" : tuple.SourcePort)}>{tuple.DestinationPort}")));
        OracleFlow connection = Assert.Single(flows, flow => flow.Original.Protocol == IpProtocol.Tcp);
        Assert.Equal(tcp.Source.Port, connection.Original.SourcePort);
        Assert.Equal(tcp.Source.Port, connection.Reply.DestinationPort);
        Assert.NotEqual(0u, connection.Id);
        Assert.Equal(flows.Count, space.FlowCount);
        Assert.Equal(flows.Count, events.Read().New);
        Assert.Contains("ESTABLISHED", space.Exec("conntrack", "-L", "-p", "sctp"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_storm_makes_as_many_flows_as_it_says(bool ipv6)
    {
        using TableSize room = TableSize.AtLeast(60_000);
        using KernelNamespace space = new();
        using EventCount events = new(space);
        using Storm storm = new(space, ipv6);

        storm.Make(50_000);
        Assert.Equal(50_000, space.FlowCount);
        storm.Repeat(100);
        Assert.Equal(50_000, events.Read().New);

        storm.Flush();
        Assert.Equal((50_000, 0), (events.Read().Destroy, space.FlowCount));
    }

    [Fact]
    public void A_stalled_reliable_socket_multiplies_other_listeners_events()
    {
        using KernelNamespace space = new();
        using EventCount events = new(space);
        using StalledReliableSocket stalled = new(space);
        using Storm storm = new(space);

        storm.Make(50);
        storm.Flush();
        Eventually.True(() => events.Read().Destroy > 50, state: events.ToString);
        Assert.NotEqual(0u, stalled.Refused);

        stalled.Release();
        Eventually.True(() => space.FlowCount == 0, state: () => $"{space.FlowCount} entries");
    }

    [Fact]
    public void A_peer_is_reached_through_source_nat()
    {
        using KernelNamespace space = new();
        VethLink link = space.AddPeer();
        VethLink other = space.AddPeer();
        VethLink.Forward(space);
        space.Rules("table ip nat { chain post { type nat hook postrouting priority 100; oifname \"peer2\" masquerade; }; }");

        using TcpFlow flow = new Generator(link.Peer).Tcp(other.PeerAddress, 80, other.Peer);
        flow.Exchange(1000);

        OracleFlow entry = Assert.Single(Oracle.Dump(space), e => e.Original.Protocol == IpProtocol.Tcp);
        Assert.Equal(IpAddress.From(link.PeerAddress), entry.Original.Source);
        Assert.Equal(IpAddress.From(other.Address), entry.Reply.Destination);
    }

    [Fact]
    public void The_difference_of_two_tables_names_what_is_missing()
    {
        using KernelNamespace space = new();
        new Generator(space).Udp(IPAddress.Loopback, 4000);
        HashSet<OracleFlow> kernel = Oracle.Dump(space);

        Assert.Null(Oracle.Difference(kernel, Oracle.Dump(space)));
        Assert.Contains("1 missing: Udp 127.0.0.1", Oracle.Difference(kernel, new HashSet<OracleFlow>()), StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_is_left_behind()
    {
        string name;
        KernelProcess process;
        string max = Max();
        using (TableSize.AtLeast(300_000))
        using (KernelNamespace space = new())
        {
            name = space.AddPeer().Peer.Name;
            process = space.Start("conntrack", "-E");
            Eventually.True(() => space.Exec("cat", "/proc/net/netlink").Contains(" 00000007 ", StringComparison.Ordinal));
        }

        Assert.Throws<InvalidOperationException>(() => process.HasExited);
        Assert.DoesNotContain(name, ToolRun.Output("ip", ["netns"]), StringComparison.Ordinal);
        Assert.Equal(max, Max());
    }

    /// <summary>The machine's own: while this holds the lock, no other test has raised it.</summary>
    private static string Max()
    {
        using TableSize held = TableSize.AtLeast(0);
        return File.ReadAllText("/proc/sys/net/netfilter/nf_conntrack_max");
    }
}
