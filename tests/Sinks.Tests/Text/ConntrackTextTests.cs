using System.Text;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Text;
using ConntrackStream.Tests;

namespace ConntrackStream.Sinks.Tests.Text;

public sealed class ConntrackTextTests
{
    private static readonly ConntrackLabels Labels =
        ConntrackLabels.Parse(["0 zero", "1 one", "2 second label", "3\tthree", "60 sixty", "61 sixty-one", "62 62"]);

    /// <summary>Printed by conntrack 1.4.7 on kernel 6.18, for entries made by conntrack -I.</summary>
    public static readonly TheoryData<string> EventLines =
    [
        "    [NEW] tcp      6 300 ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=1000 dport=80 src=10.0.0.2 dst=10.0.0.1 sport=80 dport=1000 "
        + "[ASSURED] mark=5 [USERSPACE] portid=10883",
        "    [NEW] udp      17 30 src=10.0.0.1 dst=10.0.0.2 sport=1000 dport=80 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 sport=80 dport=1000 "
        + "mark=0 [USERSPACE] portid=10884",
        "    [NEW] icmp     1 30 src=10.0.0.1 dst=10.0.0.2 type=8 code=0 id=77 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 type=0 code=0 id=77 "
        + "mark=0 [USERSPACE] portid=10885",
        "    [NEW] icmpv6   58 30 src=fd00::1 dst=fd00::2 type=128 code=0 id=77 [UNREPLIED] src=fd00::2 dst=fd00::1 type=129 code=0 id=77 "
        + "mark=0 [USERSPACE] portid=10886",
        "    [NEW] udplite  136 30 src=fd00::1 dst=::ffff:1.2.3.4 sport=1 dport=2 [UNREPLIED] src=::ffff:1.2.3.4 dst=fd00::1 "
        + "sport=2 dport=1 mark=0",
        "    [NEW] sctp     132 30 ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 "
        + "sport=2 dport=1 mark=0",
        "    [NEW] dccp     33 30 src=10.0.0.1 dst=10.0.0.2 sport=0 dport=0 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 sport=0 dport=0 mark=0",
        "    [NEW] gre      47 30 src=10.0.0.1 dst=10.0.0.2 srckey=0x10 dstkey=0xabcd [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 "
        + "srckey=0xabcd dstkey=0x10 mark=0",
        "    [NEW] unknown  50 600 src=10.0.0.1 dst=10.0.0.2 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 mark=0 [USERSPACE] portid=10891",
        "    [NEW] udp      17 30 src=10.0.0.9 dst=10.0.0.2 sport=1000 dport=80 [UNREPLIED] src=10.0.0.2 dst=10.0.0.9 sport=80 "
        + "dport=1000 mark=0 zone=7",
        "    [NEW] udp      17 30 src=10.0.0.9 dst=10.0.0.2 sport=1000 dport=80 zone-orig=8 [UNREPLIED] src=10.0.0.2 dst=10.0.0.9 "
        + "sport=80 dport=1000 mark=0",
        "    [NEW] udp      17 30 src=10.0.0.9 dst=10.0.0.2 sport=1000 dport=80 [UNREPLIED] src=10.0.0.2 dst=10.0.0.9 sport=80 "
        + "dport=1000 zone-reply=9 mark=0",
        "    [NEW] udp      17 30 src=10.0.0.9 dst=10.0.0.2 sport=1001 dport=80 [UNREPLIED] src=10.0.0.2 dst=1.1.1.1 "
        + "sport=80 dport=99 mark=0",
        " [UPDATE] tcp      6 299 ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=1000 dport=80 src=10.0.0.2 dst=10.0.0.1 sport=80 dport=1000 "
        + "[ASSURED] mark=6 [USERSPACE] portid=2772996851",
        "[DESTROY] tcp      6 299 ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=1000 dport=80 packets=0 bytes=0 src=10.0.0.2 dst=10.0.0.1 "
        + "sport=80 dport=1000 packets=0 bytes=0 [ASSURED] mark=6 delta-time=0 [USERSPACE] portid=3362653327",
        "[DESTROY] udp      17 29 src=10.0.0.9 dst=10.0.0.2 sport=1000 dport=80 zone-orig=8 packets=0 bytes=0 [UNREPLIED] src=10.0.0.2 "
        + "dst=10.0.0.9 sport=80 dport=1000 packets=0 bytes=0 delta-time=0",
        "[DESTROY] udp      17 29 src=10.0.0.9 dst=10.0.0.2 sport=1000 dport=80 packets=0 bytes=0 [UNREPLIED] src=10.0.0.2 dst=10.0.0.9 "
        + "sport=80 dport=1000 zone-reply=9 packets=0 bytes=0 delta-time=12",
    ];

    /// <summary>As above: <c>-o extended,id,timestamp,ktimestamp</c>.</summary>
    public static readonly TheoryData<string> FullLines =
    [
        "[1795222664.420470]\t    [NEW] ipv4     2 tcp      6 300 ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=1000 dport=80 src=10.0.0.2 "
        + "dst=10.0.0.1 sport=80 dport=1000 [ASSURED] mark=5 id=1268445447 [USERSPACE] portid=10883",
        "[1795222664.000047]\t [UPDATE] ipv4     2 tcp      6 299 ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=1000 dport=80 src=10.0.0.2 "
        + "dst=10.0.0.1 sport=80 dport=1000 [ASSURED] mark=6 id=1268445447 [USERSPACE] portid=2772996851",
        "[1795222664.602071]\t[DESTROY] ipv4     2 icmp     1 29 src=10.0.0.1 dst=10.0.0.2 type=8 code=0 id=77 packets=0 bytes=0 "
        + "[UNREPLIED] src=10.0.0.2 dst=10.0.0.1 type=0 code=0 id=77 packets=0 bytes=0 delta-time=0 [start=Sat Nov 21 00:57:44 2026] "
        + "[stop=Sat Nov 21 00:57:44 2026] id=1583260688",
        "[1795222664.603536]\t[DESTROY] ipv6     10 udplite  136 29 src=fd00::1 dst=::ffff:1.2.3.4 sport=1 dport=2 packets=0 bytes=0 "
        + "[UNREPLIED] src=::ffff:1.2.3.4 dst=fd00::1 sport=2 dport=1 packets=0 bytes=0 delta-time=20 [start=Sun Nov  1 00:57:44 2026] "
        + "[stop=Sun Nov  1 00:58:04 2026] id=323611187",
        "ipv6     10 icmpv6   58 29 src=fd00::1 dst=fd00::2 type=128 code=0 id=77 packets=0 bytes=0 [UNREPLIED] src=fd00::2 dst=fd00::1 "
        + "type=129 code=0 id=77 packets=0 bytes=0 mark=0 use=1 id=3338390913",
        "ipv4     2 unknown  50 599 src=10.0.0.1 dst=10.0.0.2 packets=0 bytes=0 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 packets=0 bytes=0 "
        + "mark=0 zone=3 helper=ftp use=1 id=2017701840",
    ];

    /// <summary>Printed by conntrack 1.4.5 on an OpenWrt router.</summary>
    public static readonly TheoryData<string> OldLines =
    [
        "[DESTROY] udp      17 src=192.168.88.62 dst=8.8.8.8 sport=52725 dport=53 packets=1 bytes=86 src=8.8.8.8 dst=192.168.88.62 "
        + "sport=53 dport=52725 packets=1 bytes=134 mark=256",
        " [UPDATE] tcp      6 10 CLOSE src=192.168.88.62 dst=35.182.46.62 sport=42350 dport=443 src=35.182.46.62 dst=192.168.88.62 "
        + "sport=443 dport=42350 [ASSURED] mark=256",
        "    [NEW] tcp      6 120 SYN_SENT src=192.168.88.62 dst=35.182.46.62 sport=42352 dport=443 [UNREPLIED] src=35.182.46.62 "
        + "dst=192.168.88.62 sport=443 dport=42352 mark=256",
        " [UPDATE] tcp      6 60 SYN_RECV src=192.168.88.62 dst=35.182.46.62 sport=42352 dport=443 src=35.182.46.62 dst=192.168.88.62 "
        + "sport=443 dport=42352 mark=256",
        " [UPDATE] tcp      6 7440 ESTABLISHED src=192.168.88.62 dst=35.182.46.62 sport=42352 dport=443 src=35.182.46.62 dst=192.168.88.62 "
        + "sport=443 dport=42352 [ASSURED] mark=256",
        "    [NEW] icmp     1 30 src=10.70.136.192 dst=8.8.8.8 type=8 code=0 id=22664 [UNREPLIED] src=8.8.8.8 dst=10.70.136.192 type=0 "
        + "code=0 id=22664 mark=512",
        "[DESTROY] icmp     1 src=192.168.88.62 dst=8.8.4.4 type=8 code=0 id=21886 packets=1 bytes=84 src=8.8.4.4 dst=192.168.88.62 type=0 "
        + "code=0 id=21886 packets=1 bytes=84 mark=256",
        " [UPDATE] icmp     1 30 src=10.70.136.192 dst=8.8.8.8 type=8 code=0 id=22664 src=8.8.8.8 dst=10.70.136.192 type=0 "
        + "code=0 id=22664 mark=512",
        "    [NEW] icmp     1 30 src=192.168.88.62 dst=8.8.4.4 type=8 code=0 id=22680 [UNREPLIED] src=8.8.4.4 dst=192.168.88.62 type=0 "
        + "code=0 id=22680 mark=512",
        " [UPDATE] icmp     1 30 src=192.168.88.62 dst=8.8.4.4 type=8 code=0 id=22680 src=8.8.4.4 dst=192.168.88.62 type=0 "
        + "code=0 id=22680 mark=512",
        "[DESTROY] icmp     1 src=10.70.136.192 dst=8.8.8.8 type=8 code=0 id=21879 packets=1 bytes=84 src=8.8.8.8 dst=10.70.136.192 type=0 "
        + "code=0 id=21879 packets=1 bytes=84 mark=256",
        "    [NEW] udp      17 60 src=192.168.8.108 dst=91.189.91.157 sport=37818 dport=123 [UNREPLIED] src=91.189.91.157 "
        + "dst=192.168.88.62 sport=123 dport=37818 mark=256",
        " [UPDATE] udp      17 60 src=192.168.8.108 dst=91.189.91.157 sport=37818 dport=123 src=91.189.91.157 dst=192.168.88.62 "
        + "sport=123 dport=37818 mark=256",
        "[DESTROY] udp      17 src=192.168.88.62 dst=8.8.4.4 sport=52725 dport=53 packets=1 bytes=86 src=8.8.4.4 dst=10.70.136.192 "
        + "sport=53 dport=52725 packets=1 bytes=134 mark=512",
        "[DESTROY] tcp      6 src=192.168.88.62 dst=35.182.46.62 sport=42348 dport=443 packets=19 bytes=5181 src=35.182.46.62 "
        + "dst=192.168.88.62 sport=443 dport=42348 packets=17 bytes=5896 [ASSURED] mark=256",
        "[DESTROY] udp      17 src=192.168.8.108 dst=192.168.8.1 sport=56989 dport=53 packets=1 bytes=86 src=192.168.8.1 dst=192.168.8.108 "
        + "sport=53 dport=56989 packets=1 bytes=134 mark=16128",
        "[DESTROY] udp      17 src=192.168.88.62 dst=172.26.38.1 sport=52725 dport=53 packets=1 bytes=86 [UNREPLIED] src=172.26.38.1 "
        + "dst=192.168.88.62 sport=53 dport=52725 packets=0 bytes=0 mark=256",
        "[DESTROY] icmp     1 src=192.168.88.62 dst=8.8.4.4 type=8 code=0 id=21996 packets=1 bytes=84 src=8.8.4.4 dst=192.168.88.62 type=0 "
        + "code=0 id=21996 packets=1 bytes=84 mark=256",
    ];

    private static readonly ConntrackTextOptions Full = new()
    {
        Extended = true,
        Id = true,
        Timestamp = true,
        KernelTimestamps = true,
        Labels = Labels,
        TimeZone = TimeZoneInfo.Utc,
    };

    [Theory]
    [MemberData(nameof(EventLines))]
    [MemberData(nameof(OldLines))]
    public void A_line_of_the_tool_is_read_and_printed_again(string line) =>
        Assert.Equal(line, Reprint(line, ConntrackTextOptions.Default));

    [Theory]
    [MemberData(nameof(FullLines))]
    public void A_line_with_every_column_is_read_and_printed_again(string line) => Assert.Equal(line, Reprint(line, Full));

    [Fact]
    public void A_flow_made_by_hand_is_printed()
    {
        FlowEvent e = new() { Type = FlowEventType.Destroy, Time = 12_000_000_000, PortId = 42 };
        e.Flow.Original = new()
        {
            Source = new IpAddress(0, 0x0A000001),
            Destination = new IpAddress(0, 0x0A000002),
            SourcePort = 1000,
            DestinationPort = 80,
            Protocol = IpProtocol.Tcp,
            Family = FlowFamily.IPv4,
            Zone = 7,
        };
        e.Flow.Reply = e.Flow.Original;
        e.Flow.ProtocolState = (byte)TcpState.TimeWait;
        e.Flow.OriginalPackets = 5;
        e.Flow.OriginalBytes = ulong.MaxValue;
        e.Flow.StartTime = 2_999_999_999;
        e.Flow.Status = FlowStatus.SeenReply | FlowStatus.Assured | FlowStatus.Offload;
        e.Flow.Extras = new FlowExtras { Helper = "ftp", SecurityContext = "ctx", HasLabels = true, Labels = 6 };
        e.Flow.Id = 99;
        e.Flow.Present = FlowFields.BothTuples | FlowFields.Status | FlowFields.ProtocolState | FlowFields.OriginalCounters
            | FlowFields.StartTime | FlowFields.Id;
        Assert.Equal(
            "[00000012.000000]\t[DESTROY] ipv4     2 tcp      6 TIME_WAIT src=10.0.0.1 dst=10.0.0.2 sport=1000 dport=80 packets=5 "
            + "bytes=18446744073709551615 "
            + "src=10.0.0.1 dst=10.0.0.2 sport=1000 dport=80 [OFFLOAD] secctx=ctx zone=7 delta-time=10 [start=Thu Jan  1 "
            + "00:00:02 1970] helper=ftp "
            + "id=99 labels=one,second label [USERSPACE] portid=42 progname=conntrack",
            Print(in e, Full with { ProgramName = portId => portId == 42 ? "conntrack" : null }));
    }

    [Fact]
    public void Names_from_outside_keep_their_control_characters_to_themselves()
    {
        FlowEvent e = Parse("unknown  50 src=1.2.3.4 dst=1.2.3.5 src=1.2.3.5 dst=1.2.3.4", Full);
        e.Flow.Extras = new FlowExtras { Helper = "f\e[2K", SecurityContext = "c\nok" };
        Assert.EndsWith(@" secctx=c\nok helper=f\x1b[2K", Print(in e, Full with { Extended = false }), StringComparison.Ordinal);
    }

    [Fact]
    public void Labels_without_a_name_leave_the_bare_word()
    {
        FlowEvent e = Parse("unknown  50 src=1.2.3.4 dst=1.2.3.5 src=1.2.3.5 dst=1.2.3.4", Full);
        e.Flow.Extras = new FlowExtras { HasLabels = true, Labels = UInt128.One << 127 };
        Assert.Equal("unknown  50 src=1.2.3.4 dst=1.2.3.5 src=1.2.3.5 dst=1.2.3.4 labels", Print(in e, Full with { Extended = false }));
    }

    [Fact]
    public void What_the_message_did_not_carry_is_not_printed()
    {
        FlowEvent e = new() { Type = FlowEventType.Row };
        e.Flow.Original.Protocol = IpProtocol.Tcp;
        e.Flow.Original.Family = FlowFamily.IPv4;
        e.Flow.Timeout = e.Flow.Mark = e.Flow.Use = e.Flow.Id = 1;
        e.Flow.ProtocolState = 3;
        e.Flow.StopTime = 1;
        e.Flow.Present = FlowFields.Original;
        Assert.Equal("tcp      6 src=0.0.0.0 dst=0.0.0.0 sport=0 dport=0", Print(in e, Full with { Extended = false }));
    }

    [Fact]
    public void A_buffer_too_small_gets_nothing()
    {
        RandomFlows flows = new(3);
        for (int i = 0; i < 200; i++)
        {
            FlowEvent e = flows.Next();
            int length = Print(in e, Full).Length;
            Assert.Equal(0, ConntrackText.Write(new byte[length - 1], in e, Full));
        }
    }

    [Fact]
    public void Random_flows_of_every_protocol_are_printed_read_and_printed_the_same()
    {
        RandomFlows flows = new(4);
        for (int i = 0; i < 20_000; i++)
        {
            FlowEvent e = flows.Next();
            ConntrackTextOptions options = Full with { Extended = i % 2 == 0, Id = i % 3 == 0, KernelTimestamps = i % 5 == 0 };
            string line = Print(in e, options);
            FlowEvent read = Parse(line, options, e.Time);
            Assert.Equal(line, Print(in read, options));
            Assert.True(e.Flow.Original == read.Flow.Original && e.Flow.Reply == read.Flow.Reply, line);
        }
    }

    internal static string Print(in FlowEvent e, ConntrackTextOptions options)
    {
        Span<byte> buffer = stackalloc byte[ConntrackText.MaxLineBytes];
        int length = ConntrackText.Write(buffer, in e, options);
        Assert.NotEqual(0, length);
        return Encoding.UTF8.GetString(buffer[..length]);
    }

    internal static FlowEvent Parse(string line, ConntrackTextOptions options, long time = 1_795_222_664_000_000_000)
    {
        FlowEvent e = new() { Time = time };
        bool read = ConntrackTextParser.TryParse(Encoding.UTF8.GetBytes(line), ref e, () => new FlowExtras(), options, out string? problem);
        Assert.True(read, $"{problem}: {line}");
        return e;
    }

    private static string Reprint(string line, ConntrackTextOptions options)
    {
        FlowEvent e = Parse(line, options);
        return Print(in e, options);
    }
}
