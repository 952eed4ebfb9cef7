using System.Globalization;
using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Kernel.Tests;

[Collection("Kernel")]
public class KernelFilterTests
{
    private static readonly string[] Entries =
    [
        "-I -t 300 -p tcp -s 10.1.2.3 -d 192.0.2.7 --sport 1000 --dport 80 --state ESTABLISHED",
        "-I -t 300 -p tcp -s 10.1.2.4 -d 192.0.2.7 -r 172.16.0.9 -q 10.1.2.4 --sport 1001 --dport 80 --reply-port-src 8080 "
        + "--reply-port-dst 1001 --state ESTABLISHED",
        "-I -t 300 -p tcp -s 10.1.2.4 -d 192.0.2.8 -r 192.0.2.8 -q 203.0.113.5 --sport 1002 --dport 443 --reply-port-src 443 "
        + "--reply-port-dst 40000 --state CLOSE",
        "-I -t 300 -p udp -s 10.1.130.5 -d 10.9.9.9 --sport 53 --dport 5353",
        "-I -t 300 -p udp -s 10.1.2.5 -d 10.9.9.9 --sport 53 --dport 5354 -w 7",
        "-I -t 300 -p udp -s 10.1.2.5 -d 10.9.9.9 --sport 53 --dport 5354 -w 1793", // 0x0701: the bytes of 263 the other way round
        "-I -t 300 -p udp -s 10.1.2.6 -d 10.9.9.9 --sport 53 --dport 5353 --orig-zone 9",
        "-I -t 300 -p udp -s 10.1.2.7 -d 10.9.9.9 --sport 53 --dport 5353 --reply-zone 11",
        "-I -t 300 -p sctp -s 10.1.2.8 -d 10.9.9.9 --sport 53 --dport 5353 --state CLOSED --orig-vtag 1 --reply-vtag 2",
        "-I -t 300 -p gre -s 10.1.2.9 -d 10.9.9.9 --srckey 5 --dstkey 6",
        "-I -t 300 -p icmp -s 10.1.2.10 -d 10.9.9.9 --icmp-type 8 --icmp-code 0 --icmp-id 77",
        "-I -t 300 -p udplite -s 10.1.2.8 -d 10.9.9.9 --sport 53 --dport 5353",
        "-I -t 300 -p 50 -s 10.1.2.8 -d 10.9.9.9",
        "-I -t 300 -p udp -s 10.1.2.11 -d 10.9.9.9 --sport 53 --dport 0",
        "-I -t 300 -p udp -s 2001:db8::1 -d 2001:db8:8000::2 --sport 53 --dport 5353",
        "-I -t 300 -p tcp -s 2001:db8::1 -d 2001:db8:8000::3 --sport 53 --dport 80 --state ESTABLISHED",
        "-I -t 300 -p tcp -s 2001:db8:0:5::1 -d 2001:db8:8000::3 -r fd00::7 -q 2001:db8:0:5::1 --sport 53 --dport 80 --reply-port-src 80 "
        + "--reply-port-dst 53 --state ESTABLISHED",
        "-I -t 300 -p icmpv6 -s 2001:db8::1 -d 2001:db8:8000::2 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 77",
        "-I -t 300 -p udp -s ::a01:203 -d ::c000:207 --sport 1000 --dport 80", // the same 32 low bits as the first
    ];

    private static readonly (string Name, FlowFilter Filter)[] Filters =
    [
        ("one protocol", new() { Protocols = [IpProtocol.Tcp] }),
        ("protocols", new() { Protocols = [IpProtocol.Gre, IpProtocol.Sctp, (IpProtocol)50, IpProtocol.IcmpV6] }),
        ("family v4", new() { Family = FlowFamily.IPv4 }),
        ("family v6", new() { Family = FlowFamily.IPv6 }),
        ("source", new() { Sources = [Prefix("10.1.2.4")] }),
        ("destination", new() { Destinations = [Prefix("192.0.2.0/24")] }),
        ("source and destination", new() { Sources = [Prefix("10.1.2.0/30")], Destinations = [Prefix("192.0.2.7")] }),
        ("address of the reply source", new() { Addresses = [Prefix("172.16.0.0/12")] }),
        ("address of the reply destination", new() { Addresses = [Prefix("203.0.113.5")] }),
        ("address v4 /17", new() { Addresses = [Prefix("10.1.128.0/17")] }),
        ("address v4 /1", new() { Addresses = [Prefix("128.0.0.0/1")] }),
        ("address v4 /31", new() { Addresses = [Prefix("10.1.2.8/31")] }),
        ("address v4 /0: every IPv4 flow", new() { Addresses = [Prefix("0.0.0.0/0")] }),
        ("address v6 /0: every IPv6 flow", new() { Addresses = [Prefix("::/0")] }),
        ("address v6 /33", new() { Destinations = [Prefix("2001:db8:8000::/33")] }),
        ("address v6 /61", new() { Sources = [Prefix("2001:db8::/61")] }),
        ("address v6 /64", new() { Sources = [Prefix("2001:db8::/64")] }),
        ("address v6 /127", new() { Addresses = [Prefix("2001:db8:8000::2/127")] }),
        ("address v6 of a reply", new() { Addresses = [Prefix("fd00::/8")] }),
        ("v4 is not v6", new() { Addresses = [Prefix("::a01:203")] }),
        ("v4 and v6", new() { Addresses = [Prefix("10.1.2.3"), Prefix("2001:db8:8000::3"), Prefix("10.1.2.10/32")] }),
        ("zone", new() { Zones = [7] }),
        ("zone, byte order", new() { Zones = [1793] }),
        ("zone of the original direction", new() { Zones = [9] }),
        ("zone of the reply direction", new() { Zones = [11] }),
        ("zone 0", new() { Zones = [0] }),
        ("zones", new() { Zones = [7, 11, 500] }),
        ("source port", new() { SourcePorts = [1000, 1002] }),
        ("destination port", new() { DestinationPorts = [80] }),
        ("port 0, not protocols without ports", new() { DestinationPorts = [0] }),
        ("ports in ranges", new() { SourcePorts = [new(0, 100), new(1001, 1001)], DestinationPorts = [new(81, 5353), 0] }),
        ("ports from 0 on", new() { DestinationPorts = [new(0, 79)] }),
        ("ports up to the last", new() { DestinationPorts = [new(5354, ushort.MaxValue)] }),
        ("reply source", new() { ReplySources = [Prefix("172.16.0.0/12"), Prefix("fd00::7")] }),
        ("reply destination", new() { ReplyDestinations = [Prefix("203.0.113.5")] }),
        ("reply ports", new() { ReplySourcePorts = [new(8000, 9000), 443], ReplyDestinationPorts = [new(1, 40000)] }),
        ("a mask with holes", new() { Sources = [Prefix("10.99.2.5").WithMask(Prefix("255.0.0.255"))] }),
        ("a v6 mask with holes", new() { Sources = [Prefix("2001:db8::1").WithMask(Prefix("ffff:ffff::ffff"))] }),
        ("a mask of no bits", new() { Sources = [Prefix("10.1.1.1").WithMask(Prefix("0.0.0.0"))] }),
        ("alternatives", new()
        {
            AnyOf =
            [
                new() { Protocols = [IpProtocol.Tcp], Sources = [Prefix("10.1.2.3")] },
                new() { Zones = [7, 11] },
                new() { Family = FlowFamily.IPv6, DestinationPorts = [new(5000, 6000)] },
            ],
        }),
        ("alternatives and more", new()
        {
            Protocols = [IpProtocol.Udp],
            AnyOf =
            [
                new() { Addresses = [Prefix("10.1.130.5")] }, new() { SourcePorts = [1000] }, new() { ReplyZones = [11], Zones = [11] },
            ],
        }),
        ("all at once", new()
        {
            Protocols = [IpProtocol.Udp, IpProtocol.Tcp],
            Addresses = [Prefix("10.9.0.0/18"), Prefix("2001:db8::/29")],
            Zones = [0, 9],
            DestinationPorts = [5353, 80],
        }),
    ];

    [Fact]
    public void Every_filter_lets_through_what_the_predicate_takes_and_nothing_else()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "network namespaces need root");
        using TapTestNamespace space = new();
        using TapSocket all = Open(space, FlowFilter.All);
        TapSocket[] filtered = [.. Filters.Select(f => Open(space, f.Filter))];
        space.Load(Entries);
        space.Flush();

        List<FlowEvent> events = Read(all);
        Assert.Equal(2 * Entries.Length, events.Count);
        for (int i = 0; i < filtered.Length; i++)
        {
            (string name, FlowFilter filter) = Filters[i];
            string[] expected = Texts(events.Where(e => filter.Matches(e.Flow)));
            Assert.True(expected.Length > 0 && expected.Length < events.Count, $"'{name}' tells flows apart");
            Assert.Equal(expected, Texts(Read(filtered[i]).Where(e => MatchesIfIcmp(e, filter))));
            filtered[i].Dispose();
        }
    }

    [Fact]
    public void Random_prefixes_of_real_addresses_agree_with_the_predicate()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "network namespaces need root");
        Random random = new(7);
        using TapTestNamespace space = new();
        using TapSocket all = Open(space, FlowFilter.All);
        FlowFilter[] filters = [.. Enumerable.Range(0, 150).Select(_ => RandomFilter(random))];
        TapSocket[] filtered = [.. filters.Select(f => Open(space, f))];
        space.Load(Entries);

        List<FlowEvent> events = Read(all);
        int matched = 0;
        for (int i = 0; i < filters.Length; i++)
        {
            string[] expected = Texts(events.Where(e => filters[i].Matches(e.Flow)));
            Assert.Equal(expected, Texts(Read(filtered[i])));
            matched += expected.Length;
            filtered[i].Dispose();
        }

        Assert.InRange(matched, 1, (filters.Length * events.Count) - 1);
    }

    [Fact]
    public void Far_jumps_and_the_longest_program_are_right()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "network namespaces need root");
        IpPrefix[] others =
            [.. Enumerable.Range(0, 280).Select(i => new IpPrefix(new IpAddress(0, (ulong)(0xC6120000 + i)), 32, FlowFamily.IPv4))];
        FlowFilter filter = new() { Addresses = [.. others, Prefix("172.16.0.9")] };
        using TapTestNamespace space = new();
        using TapSocket all = Open(space, FlowFilter.All);
        using TapSocket filtered = Open(space, filter);
        space.Load(Entries);

        string[] expected = Texts(Read(all).Where(e => filter.Matches(e.Flow)));
        Assert.Single(expected);
        Assert.Equal(expected, Texts(Read(filtered)));
    }

    [Fact]
    public async Task What_is_no_conntrack_event_passes()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "network namespaces need root");
        using TapTestNamespace space = new();
        FlowFilter nothing = new() { Protocols = [(IpProtocol)254], Zones = [65000], Addresses = [Prefix("255.255.255.255")] };
        await using TapHarness harness = new(new TapOptions { Namespace = space.Network, Filter = nothing });
        await harness.StartAsync();
        space.Load(Entries);
        await harness.DrainAsync();
        Assert.Equal(32, harness.Tap.Counters.Bytes); // the barrier's marker, and none of the events before it
    }

    // The one thing the program cannot tell from the message: ICMP has no port attributes, and neither have flows whose port counts as 0.
    private static bool MatchesIfIcmp(in FlowEvent e, FlowFilter filter) => !e.Flow.Original.IsIcmp || filter.Matches(e.Flow);

    private static FlowFilter RandomFilter(Random random)
    {
        string[] addresses =
        [
            "10.1.2.3", "192.0.2.7", "10.9.9.9", "203.0.113.5", "172.16.0.9", "2001:db8::1", "2001:db8:0:5::1", "2001:db8:8000::3",
            "fd00::7", "::a01:203",
        ];
        IpPrefix whole = Prefix(addresses[random.Next(addresses.Length)]);
        ulong flip = random.Next(3) == 0 ? 1UL << random.Next(32) : 0;
        IpAddress address = new(whole.Network.High ^ (whole.Family == FlowFamily.IPv6 ? flip << 24 : 0), whole.Network.Low ^ flip);
        IpPrefix prefix = new(address, random.Next(whole.Length + 1), whole.Family);
        return random.Next(3) switch
        {
            0 => new FlowFilter { Sources = [prefix] },
            1 => new FlowFilter { Destinations = [prefix] },
            _ => new FlowFilter { Addresses = [prefix, Prefix("192.0.2.8")] },
        };
    }

    private static TapSocket Open(TapTestNamespace space, FlowFilter filter) =>
        TapSocket.Open(
            new TapOptions { Namespace = space.Network, Filter = filter, ReceiveBufferBytes = 1 << 20 },
            TimeProvider.System,
            NullLogger.Instance);

    private static List<FlowEvent> Read(TapSocket socket)
    {
        byte[] buffer = new byte[4096];
        FlowBatch batch = new();
        int length;
        while ((length = socket.Netlink.Receive(buffer, out _, wait: false)) > 0)
            Assert.Equal(DecodeResult.Decoded, FlowDecoder.Decode(buffer.AsSpan(0, length), batch, 0));

        return [.. batch.Span];
    }

    private static string[] Texts(IEnumerable<FlowEvent> events) => [.. events.Select(Text).Order(StringComparer.Ordinal)];

    private static string Text(FlowEvent e) =>
        string.Create(CultureInfo.InvariantCulture, $"{e.Type} {Text(e.Flow.Original)} / {Text(e.Flow.Reply)}");

    private static string Text(in FlowTuple t) => string.Create(
        CultureInfo.InvariantCulture,
        $"{t.Protocol} {t.Source.ToIPAddress(t.Family)}:{t.SourcePort} "
        + $"{t.Destination.ToIPAddress(t.Family)}:{t.DestinationPort} zone {t.Zone}");

    private static IpPrefix Prefix(string text)
    {
        Assert.True(IpPrefix.TryParse(text, out IpPrefix prefix, out string? error), error);
        return prefix;
    }
}
