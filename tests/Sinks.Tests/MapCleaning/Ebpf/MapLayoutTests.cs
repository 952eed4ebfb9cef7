using System.Net;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.MapCleaning.Ebpf;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.Tests.MapCleaning.Ebpf;

public sealed class MapLayoutTests
{
    private const string V4 = """
        0a000001 // src_ip 10.0.0.1
        0104     // src_port 1025
        0000     // padding
        0a000002 // dest_ip 10.0.0.2
        5000     // dest_port 80
        06       // protocol TCP
        00       // padding
        0a000001 // owner_ip
        """;

    private const string V6 = """
        fd000000000000000000000000000001 // src_ip fd00::1
        0104                             // src_port 1025
        0000                             // padding
        fd000000000000000000000000000002 // dest_ip fd00::2
        5000                             // dest_port 80
        84                               // protocol SCTP
        00                               // padding
        fd000000000000000000000000000002 // owner_ip
        """;

    private const string InterfaceIndex = """

        07000000 // ifindex 7
        """;

    private static readonly MapKey Key4 = new(Tuple("10.0.0.1", "10.0.0.2", IpProtocol.Tcp, FlowFamily.IPv4), Address("10.0.0.1"), 7);
    private static readonly MapKey Key6 = new(Tuple("fd00::1", "fd00::2", IpProtocol.Sctp, FlowFamily.IPv6), Address("fd00::2"), 7);

    public static TheoryData<string, string> Keys { get; } = new()
    {
        { "aws-npa-ipv4-key24-value1", V4 + InterfaceIndex },
        { "aws-npa-ipv4-key24-value16", V4 + InterfaceIndex },
        { "aws-npa-ipv4-key20-value1", V4 },
        { "aws-npa-ipv4-key20-value16", V4 },
        { "aws-npa-ipv6-key60-value1", V6 + InterfaceIndex },
        { "aws-npa-ipv6-key60-value16", V6 + InterfaceIndex },
        { "aws-npa-ipv6-key56-value1", V6 },
        { "aws-npa-ipv6-key56-value16", V6 },
    };

    public static TheoryData<string, int, string> Junk { get; } = new()
    {
        { "padding after src_port", 6, "01" },
        { "padding after src_port, its second byte", 7, "80" },
        { "padding after protocol", 15, "ff" },
        { "an owner that is neither end", 16, "0a000003" },
        { "ICMP with ports", 14, "01" },
        { "protocol 0 with ports", 14, "00" },
        { "UDP-Lite with ports", 14, "88" },
    };

    [Fact]
    public void Every_known_layout_is_tested_here() =>
        Assert.Equal(
            Keys.Select(row => row.Data.Item1).Order(StringComparer.Ordinal),
            MapLayouts.Known.All.Select(layout => layout.Name),
            StringComparer.Ordinal);

    [Theory]
    [MemberData(nameof(Keys))]
    public void A_key_is_the_bytes_the_agent_writes(string name, string annotated)
    {
        MapLayout layout = MapLayouts.Known.Named(name);
        MapKey key = layout.Family == FlowFamily.IPv6 ? Key6 : Key4;
        if (!layout.HasInterfaceIndex)
            key = key with { InterfaceIndex = 0 };
        byte[] bytes = Bytes(annotated), encoded = new byte[layout.KeySize];
        encoded.AsSpan().Fill(0xEE); // what was there before must not come through as padding
        layout.Encode(key, encoded);
        Assert.Equal(bytes, encoded);
        Assert.True(layout.TryDecode(bytes, out MapKey decoded));
        Assert.Equal(key, decoded);
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public void Ports_are_part_of_the_key_for_the_protocols_the_pipeline_takes_them_for(string name, string annotated)
    {
        MapLayout layout = MapLayouts.Known.Named(name);
        byte[] bytes = Bytes(annotated);
        for (int protocol = 0; protocol < 256; protocol++)
        {
            bytes[layout.Family == FlowFamily.IPv6 ? 38 : 14] = (byte)protocol;
            Assert.Equal(!MapKeys.IsShared((IpProtocol)protocol), layout.TryDecode(bytes, out _));
        }
    }

    [Theory]
    [MemberData(nameof(Junk))]
    public void A_key_no_agent_can_have_written_is_junk(string what, int offset, string bytes)
    {
        Assert.NotEmpty(what);
        MapLayout layout = MapLayouts.Known.Named("aws-npa-ipv4-key24-value16");
        byte[] key = Bytes(V4 + InterfaceIndex);
        Assert.True(layout.TryDecode(key, out _));
        Convert.FromHexString(bytes).CopyTo(key, offset);
        Assert.False(layout.TryDecode(key, out _));
    }

    [Fact]
    public void An_icmp_key_has_no_ports_and_either_end_may_own_it()
    {
        MapLayout layout = MapLayouts.Known.Named("aws-npa-ipv4-key20-value1");
        FlowTuple ping = Tuple("10.0.0.1", "10.0.0.2", IpProtocol.Icmp, FlowFamily.IPv4); // id and type where ports are
        byte[] bytes = new byte[20];
        layout.Encode(new MapKey(ping, Address("10.0.0.2"), 0), bytes);
        Assert.Equal(Bytes("0a000001 0000 0000 0a000002 0000 01 00 0a000002"), bytes);
        Assert.True(layout.TryDecode(bytes, out MapKey key));
        Assert.Equal((0, 0, Address("10.0.0.2")), (key.Tuple.SourcePort, key.Tuple.DestinationPort, key.Owner));
    }

    [Fact]
    public void A_key_of_the_other_family_is_refused()
    {
        MapLayout layout = MapLayouts.Known.Named("aws-npa-ipv4-key20-value1");
        Assert.Throws<ArgumentException>(() => layout.Encode(Key6, new byte[20]));
    }

    [Theory]
    [InlineData("aws-npa-ipv4-key24-value1", "01", 1UL, 0UL)]
    [InlineData(
        "aws-npa-ipv4-key24-value16", "0100000000000080 // val\n 0807060504030201 // last_seen", 0x8000_0000_0000_0001UL,
        0x0102030405060708UL)]
    public void A_value_is_kept_whole(string name, string annotated, ulong state, ulong lastSeen)
    {
        MapLayout layout = MapLayouts.Known.Named(name);
        byte[] bytes = Bytes(annotated), encoded = new byte[layout.ValueSize];
        MapValue value = layout.DecodeValue(bytes);
        Assert.Equal(new MapValue(state, lastSeen), value);
        layout.Encode(value, encoded);
        Assert.Equal(bytes, encoded);
    }

    private static byte[] Bytes(string annotated)
    {
        IEnumerable<string> lines = annotated.Split('\n').Select(line => line.Split("//")[0]);
        return Convert.FromHexString(string.Concat(string.Concat(lines).Where(c => !char.IsWhiteSpace(c))));
    }

    private static IpAddress Address(string text) => IpAddress.From(IPAddress.Parse(text));

    private static FlowTuple Tuple(string source, string destination, IpProtocol protocol, FlowFamily family) => new()
    {
        Source = Address(source),
        Destination = Address(destination),
        SourcePort = 1025,
        DestinationPort = 80,
        Protocol = protocol,
        Family = family,
    };
}
