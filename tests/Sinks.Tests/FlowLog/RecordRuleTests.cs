using System.Text.Json;
using System.Text.RegularExpressions;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.FlowLog;
using Microsoft.Extensions.Logging.Abstractions;
using static ConntrackStream.Sinks.Tests.FlowLog.FlowLogTestData;

namespace ConntrackStream.Sinks.Tests.FlowLog;

/// <summary>Allow and Deny: their rules, and what they let through.</summary>
public class RecordRuleTests
{
    [Theory]
    [InlineData("proto udp", true)]
    [InlineData("proto tcp", false)]
    [InlineData("proto tcp proto 17", true)] // alternatives
    [InlineData("proto udp event end", true)]
    [InlineData("proto udp event start", false)]
    [InlineData("event start event end", true)]
    [InlineData("src 10.0.0.0/8", true)]
    [InlineData("dst 10.0.0.0/8", false)]
    [InlineData("dst 2001:db8::/32", false)]
    [InlineData("dst 198.51.100.0/24 dst 203.0.113.1", true)]
    [InlineData("addr 192.0.2.9", true)] // the reply's destination
    [InlineData("src 192.0.2.9", false)]
    [InlineData("dport 53", true)]
    [InlineData("dport 50-60", true)]
    [InlineData("dport 54-60", false)]
    [InlineData("dport 80 dport 1-53", true)]
    [InlineData("sport 40000-40000", true)]
    [InlineData("sport 53", false)]
    [InlineData("zone 7", true)]
    [InlineData("zone 0", false)]
    [InlineData("mark 0x10/0xf0", true)]
    [InlineData("mark 0x10", false)]
    [InlineData("mark 0x10-0x1f", true)]
    [InlineData("mark 0x10 mark 17", true)] // alternatives
    [InlineData("mark 1,2,0x11", true)]
    [InlineData("reply-dst 192.0.2.0/24", true)]
    [InlineData("reply-src 192.0.2.0/24", false)]
    [InlineData("reply-port-dst 1000-2000", true)]
    [InlineData("src-nat any", true)]
    [InlineData("src-nat 192.0.2.9:1024", true)]
    [InlineData("src-nat 192.0.2.9:1025", false)]
    [InlineData("dst-nat any", false)]
    [InlineData("any-nat 192.0.2.9", true)]
    [InlineData("src 10.9.2.3 mask-src 255.0.255.255", true)]
    [InlineData("orig-zone 7", false)] // both directions are in it
    [InlineData("proto esp", false)] // of /etc/protocols
    [InlineData("icmp-type 8", false)]
    [InlineData("srckey 40000", false)]
    [InlineData("family ipv4", true)]
    [InlineData("family ipv6", false)]
    [InlineData("status seen_reply,!assured", true)]
    [InlineData("status assured", false)]
    [InlineData("state established", false)]
    public void A_rule_matches_if_each_of_its_conditions_does(string text, bool expected)
    {
        Assert.Equal(expected, Rule(text).Matches(Datagram()));
    }

    [Fact]
    public void A_flow_without_ports_has_none_in_any_range()
    {
        FlowChange echo = Change(FlowChangeKind.Started, Flow(Icmp(IpProtocol.Icmp, "10.0.0.1", "10.0.0.2", 8, 0, 0)));
        Assert.False(Rule("dport 0-65535").Matches(echo));
        Assert.True(Rule("proto icmp").Matches(echo));
    }

    [Theory]
    [InlineData("", "a rule has at least one condition")]
    [InlineData("dport", "'dport' has no value: PORT[-PORT]")]
    [InlineData("dprot 53", "'dprot' is not known; did you mean dport?")]
    [InlineData("protonmu tcp", "'protonmu' is not known; did you mean protonum?")]
    [InlineData("-p tcp", "'-p' is an option; in a rule it is proto")]
    [InlineData("--orig-src 10.0.0.1", "'--orig-src' is an option; in a rule it is src")]
    [InlineData("not src", "'not' is not known; allowed are*")]
    [InlineData("snat any", "'snat' is not known; allowed are*")]
    [InlineData("ip 10.0.0.1", "'ip' is not known; allowed are*")]
    [InlineData("any-nat", "'any-nat' has no value: ADDR[:PORT], or any for whatever it is")]
    [InlineData("port 53", "'port' is not known; did you mean dport?")]
    [InlineData("interface eth0", "'interface' is not known; allowed are event start|end|update, proto PROTO,*")]
    [InlineData("dport 60-50", "'60-50' is neither a port nor a range of ports such as 8000-8100")]
    [InlineData("dport 65536", "'65536' is neither a port nor a range*")]
    [InlineData("src 10.0.0.0/33", "*10.0.0.0/33*")]
    [InlineData("proto tpc", "'tpc' is not a protocol; allowed are tcp*")]
    [InlineData("mark 0x100/0xff", "*can never match*")]
    [InlineData("status ASSURED status DYING", "'status' occurs twice")]
    [InlineData("mark 9-8", "'9-8' can never match: it ends before it begins")]
    [InlineData("any-nat any src-nat any", "any-nat: means src-nat or dst-nat, so it does not go with either")]
    [InlineData("srckey 5 dport 6", "srckey, dstkey: GRE has keys in place of ports, so they do not go with ports")]
    [InlineData("mask-src 255.0.0.0", "mask-src: needs src, whose bits it chooses")]
    [InlineData("event gap", "gaps are always written: they report what is missing")]
    [InlineData("event begin", "'begin' is not a kind of record; allowed are start, end, update")]
    [InlineData("proto icmp dport 53", "protocol icmp has no ports")]
    [InlineData("proto udp state ESTABLISHED", "protocol udp has no state")]
    [InlineData("src 10.0.0.1 dst 2001:db8::1", "no flow has addresses of both families")]
    [InlineData("family ipv6 src 10.0.0.1", "no flow has addresses of both families")]
    public void A_mistake_is_refused_with_what_is_allowed(string text, string expected)
    {
        Assert.False(RecordRuleText.TryParse(text, out _, out string? error));
        Assert.Matches($"^{Regex.Escape(expected).Replace("\\*", ".*", StringComparison.Ordinal)}$", error);
    }

    [Theory]
    [InlineData(new string[0], new string[0], true)]
    [InlineData(new[] { "proto udp" }, new string[0], true)]
    [InlineData(new[] { "proto tcp" }, new string[0], false)]
    [InlineData(new[] { "proto tcp", "dport 53" }, new string[0], true)]
    [InlineData(new string[0], new[] { "proto tcp" }, true)]
    [InlineData(new string[0], new[] { "proto tcp", "dport 53" }, false)]
    [InlineData(new[] { "proto udp" }, new[] { "event end dport 53" }, false)] // Deny decides
    [InlineData(new[] { "proto udp" }, new[] { "event start dport 53" }, true)]
    public void A_record_is_written_if_allowed_and_not_denied(string[] allow, string[] deny, bool expected) =>
        Assert.Equal(expected, RecordFilter.Of(allow, deny)?.Takes(Datagram()) ?? true);

    [Fact]
    public async Task The_log_leaves_out_what_is_denied_and_counts_it_but_never_a_gap()
    {
        using TemporaryDirectory directory = new();
        string path = directory.File("flows.ndjson");
        FlowLogOptions options = new()
        {
            Path = path,
            Allow = ["src 192.0.2.1"],
            Deny = ["sport 2", "event start event end event update dport 1-442"],
            Filter = { Exclude = { SourcePorts = ["3"] } },
        };
        FlowLogSink sink = new(options, TimeProvider.System, NullLogger<FlowLogSink>.Instance);
        await using (sink)
        {
            await sink.StartAsync(TestContext.Current.CancellationToken);
            FlowChange gap = new() { Kind = FlowChangeKind.Gap, Time = Time, Gap = new FlowGap(FlowGapReason.Overrun, 0, Time, 1, null) };
            await sink.WriteAsync(Batch(Started(1), Started(2), Started(3), gap, Started(4)), TestContext.Current.CancellationToken);
        }

        string[] lines = await File.ReadAllLinesAsync(path, TestContext.Current.CancellationToken);
        Assert.Equal(
            ["1", "gap", "4"],
            lines.Select(static line => JsonDocument.Parse(line).RootElement)
                .Select(static record => record.TryGetProperty("sport", out JsonElement port) ? port.GetRawText() : "gap"),
            StringComparer.Ordinal);
        Assert.Equal((3, 2), (sink.Counters.Records, sink.Counters.Filtered));
    }

    [Fact]
    public void A_question_allocates_nothing()
    {
        RecordFilter filter = RecordFilter.Of(["src 10.0.0.0/8 dport 1-1024", "proto tcp"], ["mark 0x20/0xf0 zone 7", "dport 443"])!;
        FlowChange change = Datagram();
        filter.Takes(change);
        long before = GC.GetAllocatedBytesForCurrentThread();
        bool all = true;
        for (int i = 0; i < 100; i++)
            all &= filter.Takes(change);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.True(all);
    }

    private static RecordRule Rule(string text)
    {
        Assert.True(RecordRuleText.TryParse(text, out RecordRule? rule, out string? error), error);
        return rule;
    }

    /// <summary>The end of a DNS query that was translated.</summary>
    private static FlowChange Datagram()
    {
        FlowTuple original = Tuple(IpProtocol.Udp, "10.1.2.3", 40000, "198.51.100.2", 53, zone: 7);
        FlowTuple reply = Tuple(IpProtocol.Udp, "198.51.100.2", 53, "192.0.2.9", 1024, zone: 7);
        FlowChange change = Change(FlowChangeKind.Ended, Flow(original, reply));
        change.Flow.Present |= FlowFields.Mark | FlowFields.Status;
        change.Flow.Mark = 0x11;
        change.Flow.Status = FlowStatus.SeenReply;
        return change;
    }
}
