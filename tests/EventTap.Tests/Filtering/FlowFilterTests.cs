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
        Present = FlowFields.BothTuples | FlowFields.Status | FlowFields.ProtocolState | FlowFields.Mark | FlowFields.Id,
        Status = FlowStatus.SeenReply | FlowStatus.Assured,
        Mark = 0x15,
        ProtocolState = (byte)TcpState.Established,
        Id = 77,
        Extras = new FlowExtras { HasLabels = true, Labels = 0b1101, SecurityContext = "system_u:s0" },
    };

    private static readonly NatEnd[] Both = [Target("198.51.100.1"), Target("203.0.113.0/24")];

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
        { "mark", new() { Marks = [new MarkMatch(0x15)] }, true },
        { "masked mark", new() { Marks = [new MarkMatch(0x10, 0xF0)] }, true },
        { "value outside the mask", new() { Marks = [new MarkMatch(0x15, 0xF0)] }, false },
        { "state", new() { States = TcpState.Established }, true },
        { "other state", new() { States = TcpState.Close }, false },
        { "status", new() { Status = new StatusMatch(FlowStatus.Assured) }, true },
        { "excluded status", new() { Status = new StatusMatch(FlowStatus.Assured, FlowStatus.SeenReply) }, false },
        { "ports in a range", new() { SourcePorts = [new(1000, 1233), new(1234, 2000)] }, true },
        { "ports out of a range", new() { SourcePorts = [new(1235, 2000)] }, false },
        { "reply source", new() { ReplySources = [Prefix("192.0.2.0/24")] }, true },
        { "reply destination", new() { ReplyDestinations = [Prefix("203.0.113.1")] }, true },
        { "the reply's destination is the translated one", new() { ReplyDestinations = [Prefix("10.0.0.5")] }, false },
        { "reply ports", new() { ReplySourcePorts = [80], ReplyDestinationPorts = [new(40000, 50000)] }, true },
        { "other reply port", new() { ReplySourcePorts = [80], ReplyDestinationPorts = [1234] }, false },
        { "TCP has no ICMP type", new() { IcmpTypes = [0] }, false },
        { "mask with holes", new() { Sources = [Prefix("10.99.0.5").WithMask(Prefix("255.0.255.255"))] }, true },
        { "other bits of that mask", new() { Sources = [Prefix("10.99.1.5").WithMask(Prefix("255.0.255.255"))] }, false },
        { "source NAT to", new() { Nat = NatMatch.Source, SourceTargets = [Target("203.0.113.1")] }, true },
        { "source NAT to and port", new() { Nat = NatMatch.Source, SourceTargets = [Target("203.0.113.1:40000")] }, true },
        { "source NAT to and another port", new() { Nat = NatMatch.Source, SourceTargets = [Target("203.0.113.1:40001")] }, false },
        { "source NAT to another", new() { Nat = NatMatch.Source, SourceTargets = [Target("203.0.113.2")] }, false },
        { "any NAT to", new() { Nat = NatMatch.Any, SourceTargets = [.. Both], DestinationTargets = [.. Both] }, true },
        { "destination NAT to", new() { Nat = NatMatch.Destination, DestinationTargets = [.. Both] }, false },
        { "id", new() { Ids = [4, 77] }, true },
        { "other id", new() { Ids = [4] }, false },
        { "mark in a range", new() { Marks = [new MarkRange(0x10, 0x1f)] }, true },
        { "mark above a range", new() { Marks = [new MarkRange(0, 0x14)] }, false },
        { "mark below a range", new() { Marks = [new MarkRange(0x16, uint.MaxValue)] }, false },
        { "one of the marks", new() { Marks = [new MarkMatch(1), new MarkRange(0x15, 0x15)] }, true },
        { "the masked mark in a range", new() { Marks = [new MarkRange(0x4, 0x6, 0xf)] }, true },
        { "one of the states", new() { States = new StateMatch(1 << (int)TcpState.Close | 1 << (int)TcpState.Established) }, true },
        { "a state of another protocol", new() { States = new StateMatch(0, ushort.MaxValue, ushort.MaxValue) }, false },
        { "labels", new() { Labels = 0b101 }, true },
        { "a label it has not", new() { Labels = 0b11 }, false },
        { "security context", new() { SecurityContexts = ["a", "system_u:s0"] }, true },
        { "other security context", new() { SecurityContexts = ["system_u"] }, false },
        { "TCP has no SCTP tag", new() { OriginalTags = [0] }, false },
        { "TCP has no DCCP role", new() { DccpRole = 0 }, false },
        { "zone of one direction", new() { OriginalZones = [0] }, false },
        { "one alternative", new() { AnyOf = [new() { Protocols = [IpProtocol.Udp] }, new() { Marks = [new MarkMatch(0x15)] }] }, true },
        { "no alternative", new() { AnyOf = [new() { Protocols = [IpProtocol.Udp] }, new() { Marks = [new MarkMatch(1)] }] }, false },
        { "alternatives and more", new() { AnyOf = [new() { Zones = [0] }], Protocols = [IpProtocol.Udp] }, false },
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
    public void A_zone_of_one_direction_is_not_that_of_both()
    {
        Flow flow = Masqueraded;
        flow.Original.Zone = 9;
        Assert.True(new FlowFilter { OriginalZones = [9] }.Matches(flow));
        Assert.True(new FlowFilter { ReplyZones = [0] }.Matches(flow));
        Assert.False(new FlowFilter { ReplyZones = [9] }.Matches(flow));
        flow.Reply.Zone = 9;
        Assert.False(new FlowFilter { OriginalZones = [9] }.Matches(flow));
        Assert.True(new FlowFilter { Zones = [9] }.Matches(flow));
    }

    [Fact]
    public void Sctp_has_tags_dccp_a_role_icmp_a_type_a_code_and_an_id()
    {
        Flow flow = Masqueraded;
        flow.Original.Protocol = IpProtocol.Sctp;
        flow.Extras = new FlowExtras { SctpOriginalTag = 5, SctpReplyTag = 6 };
        Assert.True(new FlowFilter { OriginalTags = [5], ReplyTags = [1, 6] }.Matches(flow));
        Assert.False(new FlowFilter { OriginalTags = [6] }.Matches(flow));
        Assert.False(new FlowFilter { ReplyTags = [5] }.Matches(flow));
        flow.ProtocolState = (byte)SctpState.CookieWait;
        Assert.True(new FlowFilter { States = new StateMatch(0, 1 << (int)SctpState.CookieWait) }.Matches(flow));
        flow.Original.Protocol = IpProtocol.Dccp;
        Assert.True(new FlowFilter { DccpRole = 0 }.Matches(flow));
        flow.Extras.DccpRole = 1;
        Assert.False(new FlowFilter { DccpRole = 0 }.Matches(flow));
        Assert.True(new FlowFilter { DccpRole = 1 }.Matches(flow));
        flow.Original.Protocol = IpProtocol.IcmpV6;
        (flow.Original.SourcePort, flow.Original.DestinationPort) = (77, 128 << 8 | 3);
        Assert.True(new FlowFilter { IcmpTypes = [8, 128], IcmpCodes = [3], IcmpIds = [77] }.Matches(flow));
        Assert.False(new FlowFilter { IcmpCodes = [0] }.Matches(flow));
        Assert.False(new FlowFilter { IcmpIds = [78] }.Matches(flow));
    }

    [Fact]
    public void Without_the_reply_nothing_is_known_of_it()
    {
        Flow flow = Masqueraded;
        flow.Present = FlowFields.Original;
        Assert.False(new FlowFilter { ReplySources = [Prefix("0.0.0.0/0")] }.Matches(flow));
        Assert.False(new FlowFilter { ReplyZones = [0] }.Matches(flow));
        Assert.False(new FlowFilter { ReplySourcePorts = [new(0, ushort.MaxValue)] }.Matches(flow));
        Assert.False(new FlowFilter { Ids = [77] }.Matches(flow));
    }

    [Fact]
    public void A_condition_taken_back_is_none()
    {
        FlowFilter marked = new() { Marks = [new MarkMatch(1)] };
        FlowFilter filter = new() { Protocols = [IpProtocol.Udp], Marks = [new MarkMatch(1)], AnyOf = [marked] };
        Assert.False(filter.IsStable);
        Assert.True((filter with { Protocols = [], Marks = [], AnyOf = [] }).IsEmpty);
        Assert.True((filter with { Marks = [], AnyOf = [] }).IsStable);
        Assert.False((filter with { Marks = [] }).IsStable); // an alternative can change
    }

    [Fact]
    public void The_stable_part_of_alternatives_takes_all_that_one_may_take()
    {
        FlowFilter udp = new() { Protocols = [IpProtocol.Udp] };
        FlowFilter marked = new() { Marks = [new MarkMatch(1)] };
        FlowFilter filter = new() { AnyOf = [udp, marked with { Zones = [7] }] };
        Assert.Equal(2, filter.Stable.AnyOf.Length);
        Assert.False(filter.Stable.Matches(Masqueraded));
        Assert.True((filter.Stable with { Protocols = [] }).IsStable);
        Assert.True(new FlowFilter { AnyOf = [udp, marked] }.Stable.IsEmpty);
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
        Assert.False(new FlowFilter { States = TcpState.Established }.Matches(flow));
        Assert.False(new FlowFilter { Status = new StatusMatch(FlowStatus.None, FlowStatus.SeenReply) }.Matches(flow));
        Assert.True(new FlowFilter { Marks = [new MarkMatch(0)] }.Matches(flow));
    }

    [Fact]
    public void States_are_of_tcp_only_and_icmp_has_no_ports()
    {
        Flow flow = Masqueraded;
        flow.Original.Protocol = IpProtocol.Sctp;
        Assert.False(new FlowFilter { States = TcpState.Established }.Matches(flow));
        Assert.False(new FlowFilter { States = TcpState.None }.Matches(flow));
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
            Marks = [new MarkMatch(1)],
            States = TcpState.Close,
            Status = new StatusMatch(FlowStatus.Dying),
        };
        Assert.False(filter.IsStable);
        Assert.False(filter.Matches(Masqueraded));
        Assert.True(filter.Stable.IsStable);
        Assert.True(filter.Stable.Matches(Masqueraded));
        Assert.False((filter with { Protocols = [IpProtocol.Udp] }).Stable.Matches(Masqueraded));
        Assert.True(new FlowFilter { Marks = [new MarkMatch(1)] }.Stable.IsEmpty);
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
            SourceTargets = [Target("203.0.113.1")],
            DestinationTargets = [Target("203.0.113.1")],
            ReplySources = [Prefix("192.0.2.7")],
            Marks = [new MarkRange(1, 100)],
            States = TcpState.Established,
            Labels = 1,
            SecurityContexts = ["system_u:s0"],
            AnyOf = [new() { Ids = [1] }, new() { Ids = [77] }],
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

    private static NatEnd Target(string text)
    {
        Assert.True(NatEnd.TryParse(text, out NatEnd target, out string? error), error);
        return target;
    }

    private static IpPrefix Prefix(string text)
    {
        Assert.True(IpPrefix.TryParse(text, out IpPrefix prefix, out string? error), error);
        return prefix;
    }
}
