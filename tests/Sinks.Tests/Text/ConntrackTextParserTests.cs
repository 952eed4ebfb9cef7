using System.Text;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Text;
using ConntrackStream.Tests;

namespace ConntrackStream.Sinks.Tests.Text;

public sealed class ConntrackTextParserTests
{
    private const string Tuples = "src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2 src=10.0.0.2 dst=10.0.0.1 sport=2 dport=1";

    [Fact]
    public void Every_field_lands_where_it_belongs()
    {
        FlowEvent e = Parse(
            "[1795222664.000047]\t[DESTROY] ipv4     2 tcp      6 299 TIME_WAIT src=10.0.0.1 dst=10.0.0.2 sport=1000 "
            + "dport=80 packets=1 bytes=2 "
            + "src=10.0.0.2 dst=1.1.1.1 sport=80 dport=99 packets=3 bytes=4 [ASSURED] mark=6 secctx=s zone=9 delta-time=5 "
            + "helper=ftp use=2 id=77 "
            + "[USERSPACE] portid=12 progname=a b");
        ref Flow flow = ref e.Flow;
        Assert.Equal(1_795_222_664_000_047_000, e.Time);
        Assert.Equal(FlowEventType.Destroy, e.Type);
        Assert.Equal(12u, e.PortId);
        Assert.Equal(
            (FlowFamily.IPv4, IpProtocol.Tcp, (ushort)1000, (ushort)80, (ushort)9),
            (flow.Original.Family, flow.Original.Protocol, flow.Original.SourcePort, flow.Original.DestinationPort, flow.Original.Zone));
        Assert.Equal(
            (new IpAddress(0, 0x0A000002), new IpAddress(0, 0x01010101), (ushort)99, (ushort)9),
            (flow.Reply.Source, flow.Reply.Destination, flow.Reply.DestinationPort, flow.Reply.Zone));
        Assert.Equal((1UL, 2UL, 3UL, 4UL), (flow.OriginalPackets, flow.OriginalBytes, flow.ReplyPackets, flow.ReplyBytes));
        Assert.Equal((299u, TcpState.TimeWait, 6u, 2u, 77u), (flow.Timeout, flow.TcpState, flow.Mark, flow.Use, flow.Id));
        Assert.Equal(FlowStatus.SeenReply | FlowStatus.Assured, flow.Status);
        Assert.Equal(("ftp", "s"), (flow.Extras?.Helper, flow.Extras?.SecurityContext));
        Assert.Equal(1_795_222_659_000_000_000, flow.StartTime);
        Assert.Equal(
            FlowFields.BothTuples | FlowFields.Counters | FlowFields.Status | FlowFields.Timeout | FlowFields.ProtocolState
            | FlowFields.Mark | FlowFields.StartTime | FlowFields.RoundedStart | FlowFields.Use | FlowFields.Id,
            flow.Present);
    }

    [Fact]
    public void An_icmp_tuples_id_is_not_the_entrys()
    {
        FlowEvent e = Parse("icmp     1 src=1.2.3.4 dst=1.2.3.5 type=8 code=1 id=77 src=1.2.3.5 dst=1.2.3.4 type=0 code=2 id=78 id=79");
        Assert.Equal(((byte)8, (byte)1, (ushort)77), (e.Flow.Original.IcmpType, e.Flow.Original.IcmpCode, e.Flow.Original.IcmpId));
        Assert.Equal(((byte)0, (byte)2, (ushort)78), (e.Flow.Reply.IcmpType, e.Flow.Reply.IcmpCode, e.Flow.Reply.IcmpId));
        Assert.Equal(79u, e.Flow.Id);
    }

    /// <summary>
    /// An age runs to the stop: to the DESTROY of what was deleted, with time left, but to the untold expiry of what has run out.
    /// </summary>
    [Theory]
    [InlineData("[DESTROY] udp      17 29 ", true)]
    [InlineData("[DESTROY] udp      17 ", false)]
    [InlineData("[DESTROY] udp      17 0 ", false)]
    [InlineData("udp      17 29 ", true)]
    public void The_age_of_what_has_expired_tells_the_latest_start_only(string head, bool isKnown)
    {
        FlowEvent e = Parse($"{head}{Tuples} delta-time=5", time: 100_500_000_000);
        Assert.Equal((95_000_000_000, isKnown ? 95_000_000_000 : 0), (e.Flow.StartTime, e.Flow.KnownStart));
        Assert.True(e.Flow.Has(FlowFields.RoundedStart));
    }

    [Fact]
    public void A_start_of_ktimestamp_is_right_to_the_second_only() =>
        Assert.True(
            Parse($"udp      17 29 {Tuples} [start=Sat Nov 21 00:57:44 2026]").Flow.Has(FlowFields.StartTime | FlowFields.RoundedStart));

    [Fact]
    public void Without_a_time_an_age_tells_no_start()
    {
        FlowEvent e = Parse($"[DESTROY] udp      17 {Tuples} delta-time=5", time: 0);
        Assert.False(e.Flow.Has(FlowFields.StartTime));
    }

    [Fact]
    public void Blank_padded_microseconds_of_older_versions_are_read() =>
        Assert.Equal(1_700_000_000_000_042_000, Parse($"[1700000000.42    ]\t    [NEW] udp      17 30 {Tuples}").Time);

    [Fact]
    public void Proc_net_nf_conntrack_is_read()
    {
        FlowEvent e = Parse(
            "ipv6     10 udplite  136 29 src=fd00:0000:0000:0000:0000:0000:0000:0001 dst=0000:0000:0000:0000:0000:ffff:0102:0304 sport=1 "
            + "dport=2 packets=0 bytes=0 "
            + "[UNREPLIED] src=0000:0000:0000:0000:0000:ffff:0102:0304 dst=fd00:0000:0000:0000:0000:0000:0000:0001 sport=2 dport=1 "
            + "packets=0 bytes=0 mark=0 zone=0 use=2");
        Assert.Equal((FlowEventType.Row, new IpAddress(0, 0xFFFF_0102_0304)), (e.Type, e.Flow.Original.Destination));
    }

    [Fact]
    public void Fields_of_other_versions_are_skipped() => Parse($"    [NEW] udp      17 30 {Tuples} [SHINY] novelty=1 mark=2");

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("conntrack v1.4.7 (conntrack-tools): 29 flow events have been shown.")]
    [InlineData("^Cconntrack v1.4.5 (conntrack-tools): 18 flow events have been shown.\"")]
    [InlineData("WARNING: We have hit ENOBUFS! We are losing events.")]
    [InlineData("This message means that the current netlink socket buffer size is too small.")]
    [InlineData("Please, check --buffer-size in conntrack(8) manpage.")]
    [InlineData("nfct_labelmap_new: No such file or directory")]
    public void The_tools_other_lines_are_no_problem(string line)
    {
        Assert.False(TryParse(line, out string? problem));
        Assert.Null(problem);
    }

    [Theory]
    [InlineData("root@GL-X750:~# conntrack -E", "column 1: expected a protocol's name and number, found \"root@GL-X750:~# conntrack -E\"")]
    [InlineData("[12.x]\t    [NEW] udp 17", "column 1: expected a time, [seconds.microseconds]")]
    [InlineData("  [NOW] udp      17 30 " + Tuples, "column 3: expected [NEW], [UPDATE] or [DESTROY], found \"[NOW]\"")]
    [InlineData("ipv4     10 udp      17 " + Tuples, "column 10: expected the family's number, 2")]
    [InlineData("ipv6     10 udp      17 " + Tuples, "column 29: IPv4 and IPv6 in one flow")]
    [InlineData("tcp      17 30 " + Tuples, "column 1: protocol 17 is not called \"tcp\"")]
    [InlineData(
        "tcp      256 30 " + Tuples,
        "column 1: expected a protocol's name and number, found \"tcp      256 30 src=10.0.0.1 dst=10.0.0.…\"")]
    [InlineData("tcp      6 3x SYN_SENT " + Tuples, "column 12: expected the timeout in seconds, found \"3x\"")]
    [InlineData("tcp      6 30 SYN_LOST " + Tuples, "column 15: unknown state \"SYN_LOST\"")]
    [InlineData("udp      17 30 NONE " + Tuples, "column 16: unknown state \"NONE\"")]
    [InlineData("udp      17 src=10.0.0.256 dst=10.0.0.1", "column 17: expected an address, found \"10.0.0.256\"")]
    [InlineData("udp      17 src=10.0.0.1.1 dst=10.0.0.1", "column 17: expected an address, found \"10.0.0.1.1\"")]
    [InlineData("udp      17 src=fe80::1%lo dst=fe80::2", "column 17: expected an address, found \"fe80::1%lo\"")]
    [InlineData("udp      17 src=1::2::3 dst=fe80::2", "column 17: expected an address, found \"1::2::3\"")]
    [InlineData("udp      17 src=1.2.3.4 dst=1.2.3.5 sport=65536", "column 43: expected a number up to 65535, found \"65536\"")]
    [InlineData("udp      17 src=1.2.3.4 dst=1.2.3.5 sport=1 sport=2", "column 51: the field comes twice in one tuple")]
    [InlineData("udp      17 " + Tuples + " src=1.2.3.4", "column 101: a third src: two lines in one?")]
    [InlineData(
        "udp      17 src=1.2.3.4 dst=1.2.3.5 sport=1 dport=2",
        "column 52: the reply tuple is not whole: it needs src, dst, sport and dport")]
    [InlineData(
        "icmp     1 src=1.2.3.4 dst=1.2.3.5 type=8 code=0",
        "column 49: the original tuple is not whole: it needs src, dst, type, code and id")]
    [InlineData("udp      17 " + Tuples + " mark=", "column 102: \"mark\" has no value")]
    [InlineData("udp      17 " + Tuples + " mark=-1", "column 102: expected a number up to 4294967295, found \"-1\"")]
    [InlineData("udp      17 " + Tuples + " mark=4294967296", "column 102: expected a number up to 4294967295, found \"4294967296\"")]
    [InlineData("udp      17 " + Tuples + " mar", "column 97: expected name=value, found \"mar\"")]
    [InlineData("udp      17 " + Tuples + " [ASSUR", "column 97: a bracket is not closed")]
    [InlineData(
        "udp      17 " + Tuples + " [start=Sat Foo 21 00:57:44 2026]",
        "column 104: expected a time such as Sat Nov 21 00:57:44 2026, found \"Sat Foo 21 00:57:44 2026\"")]
    [InlineData(
        "udp      17 " + Tuples + " packets=1 bytes=18446744073709551616", "column 113: expected a count, found \"18446744073709551616\"")]
    [InlineData(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>",
        "column 1: expected a protocol's name and number, found \"<?xml version=\"1.0\" encoding=\"utf-8\"?>\"")]
    public void A_malformed_line_says_what_is_wrong_where(string line, string expected)
    {
        Assert.False(TryParse(line, out string? problem));
        Assert.Equal(expected, problem);
    }

    [Fact]
    public void Damaged_lines_never_throw()
    {
        Random random = new(5);
        RandomFlows flows = new(6);
        int read = 0;
        for (int i = 0; i < 20_000; i++)
        {
            FlowEvent e = flows.Next();
            byte[] line = Encoding.UTF8.GetBytes(ConntrackTextTests.Print(in e, ConntrackTextOptions.Default));
            for (int damage = random.Next(1, 4); damage > 0; damage--)
                line[random.Next(line.Length)] = (byte)random.Next(256);
            ReadOnlySpan<byte> cut = line.AsSpan(0, random.Next(line.Length + 1));
            if (ConntrackTextParser.TryParse(cut, ref e, () => new FlowExtras(), ConntrackTextOptions.Default, out _))
                read++;
        }

        Assert.InRange(read, 1, 15_000);
    }

    private static FlowEvent Parse(string line, long time = 1) => ConntrackTextTests.Parse(line, ConntrackTextOptions.Default, time);

    private static bool TryParse(string line, out string? problem)
    {
        FlowEvent e = default;
        return ConntrackTextParser.TryParse(
            Encoding.UTF8.GetBytes(line), ref e, () => new FlowExtras(), ConntrackTextOptions.Default, out problem);
    }
}
