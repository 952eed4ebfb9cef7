using System.Text;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.MapCleaning.NpaLog;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.Tests.MapCleaning.NpaLog;

public sealed class NpaLineParserTests
{
    private const string Key = "Conntrack Key : Source IP - 10.3.99.194 Source port - 33794 Dest IP - 209.54.181.208 Dest port - 443 "
        + "Protocol - 6 Owner IP - 10.3.99.194";

    public static TheoryData<string, int> Lines => new()
    {
        // As reported to the agent's authors (aws-network-policy-agent issues 246 and 204, pull requests 151 and 256): logr.
        { """{"level":"info","ts":"2024-04-10T20:38:06.940Z","logger":"ebpf-client","caller":"wait/backoff.go:227","msg":"Check for any stale entries in the conntrack map"}""", (int)NpaLineKind.Start },
        { """{"level":"info","ts":"2024-04-24T05:57:52.765Z","logger":"ebpf-client","caller":"wait/backoff.go:227","msg":"hydrated local conntrack cache"}""", (int)NpaLineKind.Hydrated },
        { """{"level":"info","ts":"2024-04-24T05:59:32.768Z","logger":"ebpf-client","caller":"wait/backoff.go:227","msg":"Done cleanup of conntrack map"}""", (int)NpaLineKind.Done },
        { """{"level":"info","ts":"2024-04-10T20:38:07.095Z","logger":"ebpf-client","caller":"wait/backoff.go:227","msg":"Conntrack cleanup","Entry - ":"Expired/Delete Conntrack Key : Source IP - 10.3.99.194 Source port - 33794 Dest IP - 209.54.181.208 Dest port - 443 Protocol - 6 Owner IP - 10.3.99.194"}""", (int)NpaLineKind.Nominated },
        { $$"""{"level":"info","ts":"2024-04-10T20:38:07.126Z","logger":"ebpf-client","caller":"wait/backoff.go:227","msg":"Conntrack cleanup","Delete - ":"{{Key}}"}""", (int)NpaLineKind.Delete },
        { """{"level":"info","ts":"2023-11-07T00:00:00.000Z","logger":"ebpf-client","msg":"Conntrack cleanup","Delete - ":{"Source_ip":3261268746,"Source_port":33794}}""", (int)NpaLineKind.Delete }, // before November 2023
        { """{"level":"info","ts":"2023-11-07T00:00:00.000Z","logger":"ebpf-client","msg":"Start cleanup of conntrack map"}""", (int)NpaLineKind.Start },
        {
            """{"level":"info","ts":"2023-11-07T00:00:00.000Z","logger":"ebpf-client","msg":"Failed to read from conntrack table"}""",
            (int)NpaLineKind.Failed
        },
        // pkg/logger, later: no logger's name, the whole text in msg.
        { $$"""{"level":"info","ts":"2025-12-04T20:05:02.100Z","caller":"conntrack/conntrack_client.go:209","msg":"Conntrack cleanup Delete - {{Key}}"}""", (int)NpaLineKind.Delete },
        { """{"level":"error","ts":"2025-12-04T20:05:02.100Z","caller":"conntrack/conntrack_client.go:58","msg":"Failed to get mapInfo for conntrack pinpath no such file or directory"}""", (int)NpaLineKind.Failed },
        // Proposed in July 2026: deletes at debug, a count at the end.
        { $$"""{"level":"debug","ts":"2026-08-04T20:05:02.100Z","caller":"conntrack/conntrack_client.go:206","msg":"Conntrack cleanup Delete - {{Key}} Ifindex - 7"}""", (int)NpaLineKind.Delete },
        { """{"level":"info","ts":"2026-08-04T20:05:02.100Z","caller":"conntrack/conntrack_client.go:212","msg":"Done cleanup of conntrack map: deleted 3 stale entries out of 841 tracked"}""", (int)NpaLineKind.Done },
        // A fork with two misses; zap's console form; epoch time; behind kubectl's and the container runtime's prefixes.
        {
            $$"""{"level":"info","ts":"2025-12-04T20:05:02.100Z","msg":"Conntrack cleanup Delete (consecutive miss) - {{Key}}"}""",
            (int)NpaLineKind.Delete
        },
        { $"2025-12-04T20:05:02.100Z\tINFO\tebpf-client\tConntrack cleanup\t{{\"Delete - \": \"{Key}\"}}", (int)NpaLineKind.Delete },
        {
            $"2025-12-04T20:05:02.100Z\tINFO\tebpf-client\tConntrack cleanup\t{{\"Entry - \": \"Expired/Delete {Key}\"}}",
            (int)NpaLineKind.Nominated
        },
        { """{"level":"info","ts":1701382206.128,"msg":"Done cleanup of conntrack map"}""", (int)NpaLineKind.Done },
        {
            """2025-12-04T20:05:02.123456789Z {"level":"info","ts":"2025-12-04T20:05:02.100Z","msg":"Done cleanup of conntrack map"}""",
            (int)NpaLineKind.Done
        },
        { """[pod/aws-node-x7k2p/aws-eks-nodeagent] 2025-12-04T20:05:02.123456789Z {"level":"info","ts":"2025-12-04T20:05:02.100Z","msg":"Done cleanup of conntrack map"}""", (int)NpaLineKind.Done },
        { """2025-12-04T20:05:02.123456789Z stdout F {"level":"info","ts":"2025-12-04T20:05:02.100Z","msg":"Done cleanup of conntrack map"}""", (int)NpaLineKind.Done },
        { "2024-12-04 20:00:00 [INFO] Check for any stale entries in the conntrack map", (int)NpaLineKind.Start },
        { "2024-12-04 20:05:02 [INFO] Conntrack cleanup Delete - Conntrack Key : Source IP - 10.0.1.5 ...", (int)NpaLineKind.Delete },
        { "2024-12-04 20:00:01 [INFO] hydrated local conntrack cache", (int)NpaLineKind.Hydrated },
        // Others.
        { """{"level":"info","ts":"2024-04-10T20:38:07.026Z","logger":"ebpf-client","msg":"Flow Info:  ","Src IP":"10.3.99.194","Src Port":33794,"Proto":"TCP","Verdict":"ACCEPT"}""", (int)NpaLineKind.Unrelated },
        { """{"level":"info","ts":"2023-11-30T22:25:10.975Z","logger":"controllers.policyEndpoints","msg":"ConntrackTTL","cleanupPeriod":300}""", (int)NpaLineKind.Unrelated },
        { "      --conntrack-cache-cleanup-period=300", (int)NpaLineKind.Mention },
        { "2025-12-04 20:00:00 cleanup: conntrack took 3 s", (int)NpaLineKind.Mention },
        { """{"level":"info","ts":"2025-12-04T20:05:02.100Z","msg":"Conntrack cleanup Skip (in use) - Conntrack Key : Source IP - 10.3.99.194"}""", (int)NpaLineKind.Mention },
        { """{"msg":17,"about":"conntrack"}""", (int)NpaLineKind.Unrelated },
        { "", (int)NpaLineKind.Unrelated },
        // Cut off, or two at once.
        { """{"level":"info","ts":"2024-04-10T20:38:07.126Z","logger":"ebpf-client","msg":"Conntrack cleanup","Delete - ":"Conntrack Key : Source IP - 10.3.""", (int)NpaLineKind.Malformed },
        { """{"msg":"Done cleanup of conntrack map"}{"msg":"x"}""", (int)NpaLineKind.Malformed },
        { """{"msg":"Done cleanup of conntrack map",}""", (int)NpaLineKind.Malformed },
        { "{conntrack", (int)NpaLineKind.Malformed },
    };

    [Theory]
    [MemberData(nameof(Lines))]
    public void Each_form_is_told(string line, int kind) => Assert.Equal((NpaLineKind)kind, Parse(line).Kind);

    [Theory]
    [InlineData("2025-12-04T20:05:02.123456789Z {\"ts\":\"2025-12-04T20:05:02.100Z\",\"msg\":\"hydrated local conntrack cache\"}")]
    [InlineData("2025-12-04T20:05:02.123456789Z 2025-12-04 20:05:02.100 [INFO] hydrated local conntrack cache")]
    [InlineData("2025-12-04T20:05:02.100Z {\"ts\":\"yesterday\",\"msg\":\"hydrated local conntrack cache\"}")]
    [InlineData("{\"ts\":1764878702.1,\"msg\":\"hydrated local conntrack cache\"}")]
    public void The_agents_own_time_wins(string line) =>
        Assert.Equal("2025-12-04T20:05:02.100000Z", TimestampText.Format(Parse(line).Time!.Value.From));

    [Fact]
    public void A_line_without_a_time_has_none() => Assert.Null(Parse("[INFO] hydrated local conntrack cache").Time);

    [Fact]
    public void No_UTF8_is_malformed() =>
        Assert.Equal(NpaLineKind.Malformed, NpaLineParser.Parse([.. "{\"msg\":\"conntrack "u8, 0xFF, 0xFE, .. "\"}"u8]).Kind);

    [Fact]
    public void The_counts_of_the_last_line_are_read()
    {
        NpaLine line = Parse(
            """{"msg":"Done cleanup of conntrack map: deleted 3 stale entries out of 841 tracked (per-entry detail at debug level)"}""");
        Assert.Equal(3, line.Deleted);
        Assert.Equal(841, line.Tracked);
        NpaLine older = Parse("""{"msg":"Done cleanup of conntrack map"}""");
        Assert.Null(older.Deleted);
        Assert.Null(older.Tracked);
    }

    [Theory]
    [InlineData(
        "Conntrack Key : Source IP - 10.3.99.194 Source port - 33794 Dest IP - 209.54.181.208 Dest port - 443 Protocol - 6",
        "tcp src=10.3.99.194 dst=209.54.181.208 sport=33794 dport=443")]
    [InlineData(Key, "tcp src=10.3.99.194 dst=209.54.181.208 sport=33794 dport=443 owner=10.3.99.194")]
    [InlineData(Key + " Ifindex - 7", "tcp src=10.3.99.194 dst=209.54.181.208 sport=33794 dport=443 owner=10.3.99.194 ifindex=7")]
    [InlineData(
        "Conntrack Key : Source IP - fd00::5 Source port - 5353 Dest IP - 2600:1f13::1 Dest port - 53 Protocol - 17 Owner "
        + "IP - fd00::5 Ifindex - 3",
        "udp src=fd00::5 dst=2600:1f13::1 sport=5353 dport=53 owner=fd00::5 ifindex=3")]
    [InlineData(
        "Conntrack Key : Source IP - 10.0.0.5 Source port - 0 Dest IP - 8.8.8.8 Dest port - 0 Protocol - 1 Owner IP - 10.0.0.5",
        "icmp src=10.0.0.5 dst=8.8.8.8 owner=10.0.0.5")]
    public void Keys_are_read(string text, string expected) =>
        Assert.Equal(expected, NpaKey.Parse(Encoding.UTF8.GetBytes(text))?.ToString());

    [Theory]
    [InlineData("")]
    [InlineData("Conntrack Key : Source IP - 10.0.1.5 ...")]
    [InlineData(
        "Conntrack Key : Source IP - 10.0.0.5 Source port - NOPE Dest IP - 172.20.0.1 Dest port - 443 Protocol - 6 Owner IP - 10.0.0.5")]
    [InlineData(
        "Conntrack Key : Source IP - 10.0.0.5 Source port - 65536 Dest IP - 172.20.0.1 Dest port - 443 Protocol - 6 Owner IP - 10.0.0.5")]
    [InlineData(
        "Conntrack Key : Source IP - 10.0.0.5 Source port - 1 Dest IP - 172.20.0.1 Dest port - 443 Protocol - 256 Owner IP - 10.0.0.5")]
    [InlineData(
        "Conntrack Key : Source IP - 10.0.0.256 Source port - 1 Dest IP - 172.20.0.1 Dest port - 443 Protocol - 6 Owner IP - 10.0.0.5")]
    [InlineData("Conntrack Key : Source IP - fd00::5 Source port - 1 Dest IP - 172.20.0.1 Dest port - 443 Protocol - 6 Owner IP - fd00::5")]
    [InlineData("Conntrack Key : Source IP - 10.0.0.5 Dest IP - 172.20.0.1 Source port - 1 Dest port - 443 Protocol - 6")]
    public void A_key_that_is_not_whole_is_none(string text) => Assert.Null(NpaKey.Parse(Encoding.UTF8.GetBytes(text)));

    /// <summary>Every beginning of every line, and every byte of it changed: read or refused, never an exception.</summary>
    [Theory]
    [MemberData(nameof(Lines))]
    public void Nothing_makes_it_throw(string line, int kind)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(line);
        for (int i = 0; i < bytes.Length; i++)
        {
            _ = NpaLineParser.Parse(bytes.AsSpan(0, i));
            byte kept = bytes[i];
            foreach (byte other in (ReadOnlySpan<byte>)[0, (byte)'"', (byte)'{', (byte)'\\', 0xFF])
            {
                bytes[i] = other;
                _ = NpaLineParser.Parse(bytes);
            }

            bytes[i] = kept;
        }

        Assert.Equal((NpaLineKind)kind, NpaLineParser.Parse(bytes).Kind);
    }

    private static NpaLine Parse(string line) => NpaLineParser.Parse(Encoding.UTF8.GetBytes(line));
}
