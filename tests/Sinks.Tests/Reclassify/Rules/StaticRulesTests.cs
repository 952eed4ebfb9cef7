using System.Globalization;
using System.Net;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Rules;
using ConntrackStream.Sinks.Tests.FlowLog;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.Tests.Reclassify.Rules;

public sealed class StaticRulesTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly RecordingLogger _logger = new();
    private readonly RecordingHost _host = new();

    private string RuleFile => _directory.File("rules");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task The_first_rule_that_matches_counts()
    {
        await using StaticRules rules = await Start("""
            # path  conditions
            keep dst 10.1.0.0/16 dport 22
            B    proto tcp dst 10.0.0.0/8 dport 20-443   # most specific does not mean first
            A    dst 10.0.0.0/8

            B    src 192.168.7.0/24 sport 5000:6000
            A    mark 0x100/0xff00
            B    proto 47
            A    proto udp dport 53
            B    dst 2001:db8::/32
            """);

        Assert.Equal(Verdict.Keep($"{RuleFile} line 2"), Ask(rules, "tcp 192.168.1.1 1234 10.1.2.3 22"));
        Assert.Equal(
            Verdict.To("B", $"{RuleFile} line 3") with { Origin = $"{RuleFile} line 3" }, Ask(rules, "tcp 192.168.1.1 1234 10.1.2.3 80"));
        Assert.Equal("A", Ask(rules, "udp 192.168.1.1 1234 10.1.2.3 80").Path);
        Assert.Equal("A", Ask(rules, "tcp 192.168.1.1 1234 10.1.2.3 444").Path);
        Assert.Equal("B", Ask(rules, "tcp 192.168.7.9 5555 9.9.9.9 444").Path);
        Assert.Equal(Verdict.None, Ask(rules, "tcp 192.168.7.9 4999 9.9.9.9 444"));
        Assert.Equal("A", Ask(rules, "tcp 192.168.1.1 1 9.9.9.9 444", mark: 0x5501ff).Path);
        Assert.Equal("B", Ask(rules, "gre 192.168.1.1 0 9.9.9.9 0").Path);
        Assert.Equal("A", Ask(rules, "udp 192.168.1.1 1 9.9.9.9 53").Path);
        Assert.Equal(Verdict.None, Ask(rules, "tcp 192.168.1.1 1 9.9.9.9 53"));
        Assert.Equal("B", Ask(rules, "tcp fd00::1 1 2001:db8:9::1 53").Path);
        Assert.Equal(Verdict.None, Ask(rules, "tcp fd00::1 1 ::10.1.2.3 22")); // not IPv4's
        Assert.Equal("8 rules", rules.Status.Text);
    }

    [Fact]
    public async Task Ports_of_a_rule_without_protocol_are_those_of_protocols_with_ports()
    {
        await using StaticRules rules = await Start("A dport 2048");
        Assert.Equal("A", Ask(rules, "udp 192.168.1.1 1 9.9.9.9 2048").Path);
        Assert.Equal(Verdict.None, Ask(rules, "icmp 192.168.1.1 1 9.9.9.9 2048")); // type 8, code 0: an echo request
    }

    [Fact]
    public async Task The_index_finds_what_trying_each_rule_finds()
    {
        Random random = new(4);
        List<StaticRule> list = [];
        for (int i = 0; i < 30; i++)
        {
            bool isIPv6 = random.Next(4) == 0;
            bool isAnywhere = random.Next(5) == 0;
            list.Add(new StaticRule
            {
                Path = random.Next(5) == 0 ? null : $"P{i % 7}",
                Origin = string.Create(CultureInfo.InvariantCulture, $"rule {i}"),
                Protocol = random.Next(3) == 0 ? IpProtocol.Udp : null,
                Destination = isAnywhere ? null : Prefix(random, isIPv6),
                Source = random.Next(4) == 0 ? Prefix(random, isIPv6) : null,
                DestinationPort = isAnywhere || random.Next(3) == 0 ? Ports(random) : null,
                SourcePort = random.Next(9) == 0 ? Ports(random) : null,
            });
        }

        await using StaticRules rules = new(null, list, _ => true, _logger);
        int matched = 0;
        for (int i = 0; i < 20_000; i++)
        {
            FlowTuple tuple = Tuple(random, random.Next(4) == 0);
            StaticRule? expected = list.Find(rule => rule.Matches(tuple, 0));
            Verdict verdict = rules.Classify(new FlowQuestion(tuple, 0, null));
            Assert.Equal(expected?.Origin, verdict.Reason);
            Assert.Equal(expected?.Path, verdict.Path);
            matched += expected is null ? 0 : 1;
        }

        Assert.InRange(matched, 1000, 19_000);
    }

    [Theory]
    [InlineData("C dst 10.0.0.0/8", "there is no path 'C'")]
    [InlineData("A dst 10.0.0.0/33", "prefix length must be 0 to 32")]
    [InlineData("A dst", "'dst' has no value")]
    [InlineData("A to 10.0.0.0/8", "'to' is not known; allowed are proto")]
    [InlineData("A dport 70000", "'70000' is neither a port nor a range")]
    [InlineData("A dport 9-8", "'9-8' is neither")]
    [InlineData("A dport 1 dport 2", "'dport' occurs twice")]
    [InlineData("A proto icmp dport 2", "protocol icmp has no ports")]
    [InlineData("A src 10.0.0.0/8 dst ::/0", "different families")]
    [InlineData("A mark 0x101/0x3f00", "bits outside its mask")]
    [InlineData("A proto carrier-pigeon", "is not a protocol")]
    public async Task A_wrong_line_is_named(string line, string expected)
    {
        InvalidDataException e = await Assert.ThrowsAsync<InvalidDataException>(() => Start($"A dst 10.0.0.0/8\n{line}\n"));
        Assert.StartsWith($"Reclassify:RuleFile: {RuleFile} line 2: ", e.Message, StringComparison.Ordinal);
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, " (line 2 is wrong, too)")]
    [InlineData(4, " (lines 2, 3, 4 are wrong, too)")]
    [InlineData(13, " (lines 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 2 more are wrong, too)")]
    public async Task Other_wrong_lines_are_named(int lines, string expected)
    {
        InvalidDataException e =
            await Assert.ThrowsAsync<InvalidDataException>(() => Start(string.Concat(Enumerable.Repeat("C dst 10.0.0.0/8\n", lines))));
        Assert.StartsWith($"Reclassify:RuleFile: {RuleFile} line 1: there is no path 'C'", e.Message, StringComparison.Ordinal);
        Assert.EndsWith(expected, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_of_others_is_refused()
    {
        await File.WriteAllTextAsync(RuleFile, "A dst 10.0.0.0/8\n", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(RuleFile, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherWrite);
        await using StaticRules rules = new(RuleFile, [], IsPath, _logger);
        InvalidDataException e = await Assert.ThrowsAsync<InvalidDataException>(
            async () => await rules.StartAsync(_host, TestContext.Current.CancellationToken));
        Assert.Contains("can be written by its group or by everybody", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reading_again_replaces_the_rules_and_all_flows_are_looked_at_again()
    {
        await using StaticRules rules = await Start("A dst 10.0.0.0/8", new StaticRule { Path = "B", Origin = "pbr policy x" });
        Assert.Equal("B", Ask(rules, "tcp 192.168.1.1 1 9.9.9.9 53").Path);

        Write("keep dst 9.0.0.0/8\n");
        rules.Reload();

        Assert.Equal(VerdictKind.Keep, Ask(rules, "tcp 192.168.1.1 1 9.9.9.9 53").Kind);
        Assert.Equal("pbr policy x", Ask(rules, "tcp 192.168.1.1 1 10.9.9.9 53").Reason);
        Assert.Equal([AddressRange.All(FlowFamily.IPv4), AddressRange.All(FlowFamily.IPv6)], _host.Reconsidered);
        Assert.Equal([3142], _logger.Ids);
    }

    [Fact]
    public async Task A_wrong_file_changes_nothing()
    {
        await using StaticRules rules = await Start("A dst 10.0.0.0/8");
        Write("A dst 10.0.0.0/8\nnonsense\n");

        InvalidDataException e = Assert.Throws<InvalidDataException>(rules.Reload);
        Assert.Contains("line 2", e.Message, StringComparison.Ordinal);

        Assert.Equal("A", Ask(rules, "tcp 192.168.1.1 1 10.9.9.9 53").Path);
        Assert.Empty(_host.Reconsidered);
        Assert.Empty(_logger.Ids);
        Assert.False(rules.Status.IsWorking);
        Assert.Contains("line 2", rules.Status.Text, StringComparison.Ordinal);

        Write("B dst 10.0.0.0/8\n");
        rules.Reload();
        Assert.True(rules.Status.IsWorking);
        Assert.Equal("B", Ask(rules, "tcp 192.168.1.1 1 10.9.9.9 53").Path);
    }

    private async Task<StaticRules> Start(string text, params StaticRule[] configured)
    {
        Write(text);
        StaticRules rules = new(RuleFile, configured, IsPath, _logger);
        await rules.StartAsync(_host, TestContext.Current.CancellationToken);
        return rules;
    }

    private void Write(string text) => File.WriteAllText(RuleFile, text);

    private static bool IsPath(string name) => name is "A" or "B";

    private static Verdict Ask(StaticRules rules, string flow, uint mark = 0)
    {
        string[] words = flow.Split(' ');
        IPAddress source = IPAddress.Parse(words[1]);
        return rules.Classify(new FlowQuestion(
            new FlowTuple
            {
                Family = source.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? FlowFamily.IPv4 : FlowFamily.IPv6,
                Protocol = Enum.Parse<IpProtocol>(words[0], ignoreCase: true),
                Source = IpAddress.From(source),
                SourcePort = ushort.Parse(words[2], CultureInfo.InvariantCulture),
                Destination = IpAddress.From(IPAddress.Parse(words[3])),
                DestinationPort = ushort.Parse(words[4], CultureInfo.InvariantCulture),
            },
            mark,
            PathNow: null));
    }

    private static FlowTuple Tuple(Random random, bool isIPv6) => new()
    {
        Family = isIPv6 ? FlowFamily.IPv6 : FlowFamily.IPv4,
        Protocol = random.Next(2) == 0 ? IpProtocol.Tcp : IpProtocol.Udp,
        Source = Address(random, isIPv6),
        Destination = Address(random, isIPv6),
        SourcePort = (ushort)random.Next(64),
        DestinationPort = (ushort)random.Next(64),
    };

    // Few distinct bits, so that prefixes of all lengths are hit.
    private static IpAddress Address(Random random, bool isIPv6) =>
        new(isIPv6 ? (ulong)random.Next(8) << 61 : 0, (uint)(random.Next(16) << 28 | random.Next(4)));

    private static EventTap.Filtering.IpPrefix Prefix(Random random, bool isIPv6) => isIPv6
        ? new(Address(random, true), random.Next(2) == 0 ? 128 : random.Next(1, 4), FlowFamily.IPv6)
        : new(Address(random, false), random.Next(2) == 0 ? 32 : random.Next(2, 5), FlowFamily.IPv4);

    private static PortRange Ports(Random random)
    {
        int first = random.Next(60);
        return new PortRange((ushort)first, (ushort)(first + (random.Next(2) == 0 ? 0 : random.Next(30))));
    }

    private sealed class RecordingHost : IClassifierHost
    {
        public List<AddressRange> Reconsidered { get; } = [];

        public void Reconsider(in AddressRange range) => Reconsidered.Add(range);

        public void Answer(in FlowQuestion question, in Verdict verdict) => Assert.Fail("static rules have no pending answers");
    }
}
