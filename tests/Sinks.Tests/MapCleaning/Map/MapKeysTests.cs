using System.Net;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.Tests.MapCleaning.Map;

public sealed class MapKeysTests
{
    // Tuples are written "source:port>destination:port".
    public static TheoryData<string, string, string, string[]> Kinds { get; } = new()
    {
        {
            "no translation", "10.0.0.1:1025>10.0.0.2:80", "10.0.0.2:80>10.0.0.1:1025",
            ["10.0.0.1:1025>10.0.0.2:80", "10.0.0.2:80>10.0.0.1:1025"]
        },
        {
            "DNAT (ClusterIP)", "10.0.0.1:1025>172.20.0.10:53", "10.0.0.9:5353>10.0.0.1:1025",
            ["10.0.0.1:1025>172.20.0.10:53", "172.20.0.10:53>10.0.0.1:1025", "10.0.0.9:5353>10.0.0.1:1025", "10.0.0.1:1025>10.0.0.9:5353"]
        },
        {
            "SNAT (to the world)", "10.0.0.1:1025>1.1.1.1:443", "1.1.1.1:443>192.0.2.1:30001",
            ["10.0.0.1:1025>1.1.1.1:443", "1.1.1.1:443>10.0.0.1:1025", "1.1.1.1:443>192.0.2.1:30001", "192.0.2.1:30001>1.1.1.1:443"]
        },
        {
            // The pod's hook sees node:40000>pod:8080, which neither direction of the flow is called: it is the reply's inverse.
            "SNAT and DNAT (masqueraded NodePort)", "203.0.113.5:50000>192.0.2.1:30080", "10.0.0.7:8080>192.0.2.1:40000",
            [
                "203.0.113.5:50000>192.0.2.1:30080", "192.0.2.1:30080>203.0.113.5:50000", "10.0.0.7:8080>192.0.2.1:40000",
                "192.0.2.1:40000>10.0.0.7:8080",
            ]
        },
        {
            "hairpin (a pod to itself, by its service)", "10.0.0.1:1025>172.20.0.10:80", "10.0.0.1:80>192.0.2.1:1025",
            ["10.0.0.1:1025>172.20.0.10:80", "172.20.0.10:80>10.0.0.1:1025", "10.0.0.1:80>192.0.2.1:1025", "192.0.2.1:1025>10.0.0.1:80"]
        },
        { "to itself, same port", "127.0.0.1:99>127.0.0.1:99", "127.0.0.1:99>127.0.0.1:99", ["127.0.0.1:99>127.0.0.1:99"] },
        {
            "IPv6", "[fd00::1]:1025>[fd00::2]:80", "[fd00::2]:80>[fd00::1]:1025",
            ["[fd00::1]:1025>[fd00::2]:80", "[fd00::2]:80>[fd00::1]:1025"]
        },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_flow_has_its_tuples_and_their_inverses_each_once(string kind, string original, string reply, string[] expected)
    {
        Assert.NotEmpty(kind);
        foreach (IpProtocol protocol in new[] { IpProtocol.Tcp, IpProtocol.Udp, IpProtocol.Sctp })
            Assert.Equal(expected.Select(text => Tuple(text, protocol)), Tuples(NewFlow(original, reply, protocol)));
    }

    [Theory]
    [InlineData(IpProtocol.Icmp)]
    [InlineData(IpProtocol.IcmpV6)]
    [InlineData(IpProtocol.Gre)]
    [InlineData(IpProtocol.UdpLite)]
    [InlineData(IpProtocol.Dccp)]
    [InlineData((IpProtocol)253)]
    public void Flows_of_protocols_without_ports_in_the_key_share_their_tuples(IpProtocol protocol)
    {
        Assert.True(MapKeys.IsShared(protocol));
        FlowTuple[] first = Tuples(NewFlow("10.0.0.1:17>10.0.0.2:2048", "10.0.0.2:17>10.0.0.1:0", protocol));
        Assert.Equal([Tuple("10.0.0.1:0>10.0.0.2:0", protocol), Tuple("10.0.0.2:0>10.0.0.1:0", protocol)], first);
        Assert.Equal(first, Tuples(NewFlow("10.0.0.1:18>10.0.0.2:2048", "10.0.0.2:18>10.0.0.1:0", protocol)));
    }

    [Theory]
    [InlineData(7, 7)]
    [InlineData(7, 0)]
    [InlineData(0, 7)]
    public void Keys_know_no_zones(int original, int reply)
    {
        Flow flow = NewFlow("10.0.0.1:1025>10.0.0.2:80", "10.0.0.2:80>10.0.0.1:1025");
        FlowTuple[] without = Tuples(flow);
        (flow.Original.Zone, flow.Reply.Zone) = ((ushort)original, (ushort)reply);
        Assert.Equal(without, Tuples(flow));
    }

    [Fact]
    public void A_flow_whose_reply_is_unknown_has_two()
    {
        Flow flow = NewFlow("10.0.0.1:1025>10.0.0.2:80", "0.0.0.0:0>0.0.0.0:0");
        flow.Present = FlowFields.Original;
        Assert.Equal([Tuple("10.0.0.1:1025>10.0.0.2:80"), Tuple("10.0.0.2:80>10.0.0.1:1025")], Tuples(flow));
    }

    [Theory]
    [InlineData("10.0.0.1:1025>10.0.0.2:80")]
    [InlineData("10.0.0.1:80>10.0.0.1:1025")]
    [InlineData("[fd00::1]:9>[fd00:1::1]:9")]
    [InlineData("[fd00::1]:9>[fd00::2]:9")]
    public void Both_orientations_have_one_canonical_name(string text)
    {
        FlowTuple tuple = Tuple(text), inverse = MapKeys.Inverse(tuple);
        Assert.NotEqual(tuple, inverse);
        Assert.Equal(tuple, MapKeys.Inverse(inverse));
        Assert.Equal(tuple, MapKeys.Canonical(tuple)); // each is written smaller end first
        Assert.Equal(tuple, MapKeys.Canonical(inverse));
        tuple.Zone = 5;
        Assert.Equal(MapKeys.Canonical(inverse), MapKeys.Canonical(tuple));
    }

    [Fact]
    public void Icmp_request_and_answer_have_one_canonical_name()
    {
        FlowTuple request = Tuple("10.0.0.9:17>10.0.0.2:2048", IpProtocol.Icmp), answer = Tuple("10.0.0.2:18>10.0.0.9:0", IpProtocol.Icmp);
        Assert.Equal(MapKeys.Canonical(request), MapKeys.Canonical(answer));
    }

    [Fact]
    public void Deriving_keys_allocates_nothing()
    {
        Flow flow = NewFlow("203.0.113.5:50000>192.0.2.1:30080", "10.0.0.7:8080>192.0.2.1:40000");
        Span<FlowTuple> tuples = stackalloc FlowTuple[MapKeys.MaxTuples];
        MapKeys.Tuples(flow, tuples);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
            MapKeys.Tuples(flow, tuples);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static FlowTuple[] Tuples(in Flow flow)
    {
        FlowTuple[] tuples = new FlowTuple[MapKeys.MaxTuples];
        return tuples[..MapKeys.Tuples(flow, tuples)];
    }

    private static Flow NewFlow(string original, string reply, IpProtocol protocol = IpProtocol.Tcp) =>
        new() { Original = Tuple(original, protocol), Reply = Tuple(reply, protocol), Present = FlowFields.BothTuples };

    private static FlowTuple Tuple(string text, IpProtocol protocol = IpProtocol.Tcp)
    {
        IPEndPoint[] ends = [.. text.Split('>').Select(IPEndPoint.Parse)];
        return new FlowTuple
        {
            Source = IpAddress.From(ends[0].Address),
            SourcePort = (ushort)ends[0].Port,
            Destination = IpAddress.From(ends[1].Address),
            DestinationPort = (ushort)ends[1].Port,
            Protocol = protocol,
            Family = text[0] == '[' ? FlowFamily.IPv6 : FlowFamily.IPv4,
        };
    }
}
