using System.Net;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.EventTap.Tests.Filtering;

public class FlowFilterTests
{
    // A masqueraded TCP flow: 10.0.0.5:1234 -> 192.0.2.7:80, seen there as 203.0.113.1:40000.
    private static readonly Flow Masqueraded = new()
    {
        Original = Tuple("10.0.0.5", 1234, "192.0.2.7", 80),
        Reply = Tuple("192.0.2.7", 80, "203.0.113.1", 40000),
        Present = FlowFields.BothTuples | FlowFields.Status | FlowFields.ProtocolState | FlowFields.Mark,
        Status = FlowStatus.SeenReply | FlowStatus.Assured,
        Mark = 0x15,
        ProtocolState = (byte)TcpState.Established,
    };

    public static TheoryData<string, FlowFilter, bool> Conditions => new()
    {
        { "protocol", new() { Protocols = [IpProtocol.Udp, IpProtocol.Tcp] }, true },
        { "other protocol", new() { Protocols = [IpProtocol.Udp] }, false },
        { "family", new() { Family = FlowFamily.IPv4 }, true },
        { "other family", new() { Family = FlowFamily.IPv6 }, false },
        { "source", new() { Sources = [Prefix("10.0.0.0/24")] }, true },
        { "the source is the original one", new() { Sources = [Prefix("192.0.2.7"), Prefix("203.0.113.1")] }, false },
        { "destination", new() { Destinations = [Prefix("192.0.2.7")] }, true },
        { "the destination is the original one", new() { Destinations = [Prefix("203.0.113.1")] }, false },
        { "any end: original source", new() { Addresses = [Prefix("10.0.0.5")] }, true },
        { "any end: reply destination", new() { Addresses = [Prefix("203.0.113.0/30")] }, true },
        { "no end", new() { Addresses = [Prefix("203.0.113.2"), Prefix("::/0")] }, false },
        { "source port", new() { SourcePorts = [1234] }, true },
        { "not the reply's port", new() { SourcePorts = [80, 40000] }, false },
        { "destination port", new() { DestinationPorts = [443, 80] }, true },
        { "other destination port", new() { DestinationPorts = [443] }, false },
        { "zone 0", new() { Zones = [0] }, true },
        { "other zone", new() { Zones = [1] }, false },
        { "any NAT", new() { Nat = NatMatch.Any }, true },
        { "source NAT", new() { Nat = NatMatch.Source }, true },
        { "destination NAT", new() { Nat = NatMatch.Destination }, false },
        { "both NATs", new() { Nat = NatMatch.Both }, false },
        { "mark", new() { Mark = new MarkMatch(0x15) }, true },
        { "masked mark", new() { Mark = new MarkMatch(0x10, 0xF0) }, true },
        { "value outside the mask", new() { Mark = new MarkMatch(0x15, 0xF0) }, false },
        { "state", new() { State = TcpState.Established }, true },
        { "other state", new() { State = TcpState.Close }, false },
        { "status", new() { Status = new StatusMatch(FlowStatus.Assured) }, true },
        { "excluded status", new() { Status = new StatusMatch(FlowStatus.Assured, FlowStatus.SeenReply) }, false },
        { "every condition must hold", new() { Protocols = [IpProtocol.Tcp], DestinationPorts = [443] }, false },
    };

    [Theory]
    [MemberData(nameof(Conditions))]
    public void Each_condition_decides(string name, FlowFilter filter, bool expected)
    {
        Assert.True(filter.Matches(Masqueraded) == expected, name);
        Assert.False(filter.IsEmpty);
    }

    [Fact]
    public void The_empty_filter_matches_everything()
    {
        Assert.True(FlowFilter.All.IsEmpty);
        Assert.True(FlowFilter.All.Matches(Masqueraded));
        Assert.True(FlowFilter.All.Matches(default));
    }

    [Fact]
    public void Either_directions_zone_counts()
    {
        Flow flow = Masqueraded;
        flow.Reply.Zone = 9;
        Assert.True(new FlowFilter { Zones = [9] }.Matches(flow));
        Assert.True(new FlowFilter { Zones = [0] }.Matches(flow));
        flow.Original.Zone = 9;
        Assert.False(new FlowFilter { Zones = [0] }.Matches(flow));
    }

    [Fact]
    public void What_is_unknown_does_not_match_but_an_absent_mark_is_zero()
    {
        Flow flow = Masqueraded;
        flow.Present = FlowFields.BothTuples;
        flow.Mark = 0;
        flow.Status = FlowStatus.None;
        Assert.False(new FlowFilter { State = TcpState.Established }.Matches(flow));
        Assert.False(new FlowFilter { Status = new StatusMatch(FlowStatus.None, FlowStatus.SeenReply) }.Matches(flow));
        Assert.True(new FlowFilter { Mark = new MarkMatch(0) }.Matches(flow));
    }

    [Fact]
    public void States_are_of_tcp_only_and_icmp_has_no_ports()
    {
        Flow flow = Masqueraded;
        flow.Original.Protocol = IpProtocol.Sctp;
        Assert.False(new FlowFilter { State = TcpState.Established }.Matches(flow));
        Assert.False(new FlowFilter { State = TcpState.None }.Matches(flow));
        flow.Original.Protocol = IpProtocol.Icmp; // the id is kept where others keep the source port
        Assert.False(new FlowFilter { SourcePorts = [1234] }.Matches(flow));
        Assert.False(new FlowFilter { DestinationPorts = [80] }.Matches(flow));
    }

    [Fact]
    public void The_stable_part_leaves_out_what_can_change()
    {
        FlowFilter filter = new()
        {
            Protocols = [IpProtocol.Tcp],
            Mark = new MarkMatch(1),
            State = TcpState.Close,
            Status = new StatusMatch(FlowStatus.Dying),
        };
        Assert.False(filter.IsStable);
        Assert.False(filter.Matches(Masqueraded));
        Assert.True(filter.Stable.IsStable);
        Assert.True(filter.Stable.Matches(Masqueraded));
        Assert.False((filter with { Protocols = [IpProtocol.Udp] }).Stable.Matches(Masqueraded));
        Assert.True(new FlowFilter { Mark = new MarkMatch(1) }.Stable.IsEmpty);
    }

    [Fact]
    public void Matching_allocates_nothing()
    {
        FlowFilter filter = new()
        {
            Protocols = [IpProtocol.Tcp],
            Addresses = [Prefix("203.0.113.1")],
            Zones = [0],
            Nat = NatMatch.Any,
            DestinationPorts = [80],
        };
        Assert.True(filter.Matches(Masqueraded));
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
            filter.Matches(Masqueraded);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Theory]
    [InlineData(IpProtocol.Tcp, 0, true)]
    [InlineData(IpProtocol.Udp, 0, true)]
    [InlineData(IpProtocol.Icmp, 0, false)]
    [InlineData(IpProtocol.IcmpV6, 0, false)]
    [InlineData((IpProtocol)50, 0, false)] // ESP
    [InlineData((IpProtocol)2, 0, false)] // IGMP
    [InlineData(IpProtocol.Dccp, 0, false)] // of a kernel that does not track it
    [InlineData(IpProtocol.Sctp, 7, true)]
    public void Port_0_is_not_the_port_of_a_flow_without_ports(IpProtocol protocol, ushort otherPort, bool matches)
    {
        Flow flow = new() { Original = new FlowTuple { Family = FlowFamily.IPv4, Protocol = protocol, DestinationPort = otherPort } };
        Assert.Equal(matches, new FlowFilter { SourcePorts = [0] }.Matches(flow));
        flow.Original.SourcePort = otherPort;
        flow.Original.DestinationPort = 0;
        Assert.Equal(matches, new FlowFilter { DestinationPorts = [0] }.Matches(flow));
    }

    private static FlowTuple Tuple(string source, ushort sourcePort, string destination, ushort destinationPort) => new()
    {
        Source = IpAddress.From(IPAddress.Parse(source)),
        Destination = IpAddress.From(IPAddress.Parse(destination)),
        SourcePort = sourcePort,
        DestinationPort = destinationPort,
        Protocol = IpProtocol.Tcp,
        Family = FlowFamily.IPv4,
    };

    private static IpPrefix Prefix(string text)
    {
        Assert.True(IpPrefix.TryParse(text, out IpPrefix prefix, out string? error), error);
        return prefix;
    }
}
