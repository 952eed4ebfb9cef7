using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Sets.Ipsets;
using ConntrackStream.Sinks.Reclassify.Sets.Model;
using ConntrackStream.Sinks.Reclassify.Sets.Table;

namespace ConntrackStream.Sinks.Tests.Reclassify.Sets;

/// <summary>Matching as the kernel does, for types that few kernels are built with; and deadlines, gains, requests.</summary>
public sealed class IpsetMembersTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly RangeHost _host = new();
    private readonly GainLog _gains = new();

    [Fact]
    public void Pairs_of_nets_are_tried_from_the_most_specific_first_net()
    {
        IpsetMembers members = Members("hash:net,net");
        Put(members, "10.0.0.0", "20.0.0.0", 8, 24, noMatch: true);
        Put(members, "10.1.0.0", "20.0.0.0", 16, 8); // a longer first net decides, however short the second
        Put(members, "10.1.0.0", "20.0.0.0", 16, 16, noMatch: true); // of equal first ones, the longer second
        Put(members, "0.0.0.0", "0.0.0.0", 0, 0);

        Assert.True(Find(members, "10.1.0.1", "20.9.0.1"));
        Assert.False(Find(members, "10.1.0.1", "20.0.9.1"));
        Assert.False(Find(members, "10.2.0.1", "20.0.0.1"));
        Assert.True(Find(members, "10.2.0.1", "20.0.1.1")); // the /0 pair
    }

    [Fact]
    public void Nets_with_ports_compare_protocol_and_port()
    {
        IpsetMembers members = Members("hash:net,port,net");
        Put(members, "10.0.0.0", "20.0.0.0", 8, 8, port: 443, protocol: 6);

        Assert.True(Find(members, "10.1.0.1", "20.9.0.1", port: 443));
        Assert.False(Find(members, "10.1.0.1", "20.9.0.1", port: 80));
        Assert.False(Find(members, "10.1.0.1", "20.9.0.1", port: 443, protocol: IpProtocol.Udp));
    }

    [Fact]
    public void Marks_are_compared_under_the_sets_mask()
    {
        IpsetMembers members = Members("hash:ip,mark", markMask: 0xff00);
        IpsetElement element = new() { A = Address("20.0.0.1"), Mark = 0x1200 };
        members.Put(element, 1, _gains);

        Assert.True(Find(members, "10.0.0.1", "20.0.0.1", mark: 0xabcd1234));
        Assert.False(Find(members, "10.0.0.1", "20.0.0.1", mark: 0x1334));
    }

    [Fact]
    public void A_member_does_not_match_from_its_deadline_on()
    {
        SetClock clock = new(_time);
        IpsetMembers members = Members("hash:net");
        members.Put(new IpsetElement { A = Address("20.0.0.0"), LengthA = 8, Timeout = 30 }, clock.Now, _gains);
        members.Put(new IpsetElement { A = Address("20.1.0.0"), LengthA = 16, Timeout = 10, NoMatch = true }, clock.Now, _gains);
        FlowQuestion flow = Flow("10.0.0.1", "20.1.0.1");

        Assert.False(members.Find(flow, default, clock.Now, out _));
        _time.Advance(TimeSpan.FromSeconds(9.9));
        Assert.False(members.Find(flow, default, clock.Now, out _));
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.True(members.Find(flow, default, clock.Now, out uint deadline));
        Assert.Equal(TimeSpan.FromSeconds(20), SetClock.Left(deadline, clock.Now));
        _time.Advance(TimeSpan.FromSeconds(20));
        Assert.False(members.Find(flow, default, clock.Now, out _));
    }

    [Fact]
    public void What_a_reading_gains_is_told_and_nothing_else()
    {
        IpsetMembers members = Members("hash:net");
        Put(members, "20.0.0.0", null, 8, 0);
        Put(members, "20.1.0.0", null, 16, 0, noMatch: true);
        Assert.Equal([Range("20.0.0.0", "20.255.255.255")], Told());

        members.BeginRound();
        Put(members, "20.0.0.0", null, 8, 0);
        Put(members, "30.0.0.1", null, 32, 0);
        int position = 0;
        Assert.False(members.Sweep(ref position, 1000, _gains));

        // the nomatch that went away lets flows in
        Assert.Equal([Range("30.0.0.1", "30.0.0.1"), Range("20.1.0.0", "20.1.255.255")], Told());
    }

    [Fact]
    public void Many_gains_become_their_span()
    {
        for (uint i = 0; i <= GainLog.MaxRanges; i++)
            _gains.Add(new AddressRange(FlowFamily.IPv4, new IpAddress(0, 1000 + i), new IpAddress(0, 1000 + i)));

        Assert.Equal([new AddressRange(FlowFamily.IPv4, new IpAddress(0, 1000), new IpAddress(0, 1000 + GainLog.MaxRanges))], Told());
        Assert.Empty(Told());
    }

    [Fact]
    public void A_test_carries_what_the_type_compares()
    {
        IpsetKey key = Key("hash:ip,port", uint.MaxValue);
        Assert.True(key.TryOf(Flow("10.0.0.1", "20.0.0.1", 443), default, out SetKey flow));

        ReadOnlySpan<byte> request = IpsetMessages.Test(new byte[IpsetMessages.MaxLength], 7, "app", key, flow);

        Assert.Equal(
            "44000000" + "0b06" + "0500" + "07000000" + "00000000" // nlmsghdr: TEST of subsystem 6; REQUEST | ACK
            + "02000000" // nfgenmsg: AF_INET
            + "0500010007000000" // PROTOCOL 7
            + "0800020061707000" // SETNAME app
            + "20000780" // DATA
            + "0c000180" + "08000140" + "14000001" // IP { IPADDR_IPV4 20.0.0.1 }
            + "0600044001bb0000" // PORT 443
            + "0500070006000000", // PROTO tcp
            Convert.ToHexStringLower(request));
    }

    private static IpsetKey Key(string type, uint markMask) =>
        new(new IpsetHeader(type, FlowFamily.IPv4, null, markMask, 0, uint.MaxValue), IpsetShape.Find(type)!);

    private static IpsetMembers Members(string type, uint markMask = uint.MaxValue) => new(Key(type, markMask));

    private static IpAddress Address(string text) => IpAddress.From(System.Net.IPAddress.Parse(text));

    private static AddressRange Range(string first, string last) => new(FlowFamily.IPv4, Address(first), Address(last));

    private static FlowQuestion Flow(
        string source, string destination, ushort port = 80, IpProtocol protocol = IpProtocol.Tcp, uint mark = 0) => new(new FlowTuple
        {
            Family = FlowFamily.IPv4,
            Protocol = protocol,
            Source = Address(source),
            Destination = Address(destination),
            SourcePort = 40000,
            DestinationPort = port,
        }, mark, null);

    private static bool Find(
        IpsetMembers members, string source, string destination, ushort port = 80, IpProtocol protocol = IpProtocol.Tcp, uint mark = 0)
    {
        byte dimensions = (byte)members.Dimensions;
        SetDirections sourceFirst =
            members.Type.StartsWith("hash:net,", StringComparison.Ordinal) ? new SetDirections(dimensions, 1) : default;
        return members.Find(Flow(source, destination, port, protocol, mark), sourceFirst, 1, out _);
    }

    private void Put(
        IpsetMembers members, string a, string? b, byte lengthA, byte lengthB, bool noMatch = false, ushort port = 0, byte protocol = 0) =>
        members.Put(new IpsetElement
        {
            A = Address(a),
            B = b is null ? default : Address(b),
            LengthA = lengthA,
            LengthB = lengthB,
            NoMatch = noMatch,
            Port = port,
            Protocol = protocol,
        }, 1, _gains);

    private List<AddressRange> Told()
    {
        _host.Ranges.Clear();
        _gains.Tell(_host);
        return [.. _host.Ranges];
    }

    private sealed class RangeHost : IClassifierHost
    {
        internal List<AddressRange> Ranges { get; } = [];

        public void Reconsider(in AddressRange range) => Ranges.Add(range);

        public void Answer(in FlowQuestion question, in Verdict verdict) => throw new NotSupportedException();
    }
}
