using System.Globalization;
using System.Text;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Rules;
using ConntrackStream.Sinks.Reclassify.Sets;
using ConntrackStream.Sinks.Reclassify.Sets.Model;
using ConntrackStream.Sinks.Reclassify.Sets.Nfts;
using ConntrackStream.Sinks.Text;
using static ConntrackStream.Kernel.Tests.Reclassify.IpsetLookUpTests;

namespace ConntrackStream.Kernel.Tests.Reclassify;

/// <summary>Look-ups in nftables sets against <c>nft get element</c>, and how their mirrors follow the kernel.</summary>
public sealed class NftSetTests : IDisposable
{
    private const int Flows = 150;
    private const int FloodMembers = 20_000;
    private static readonly string[] _ports = ["80-81", "82", "83", "84-90"];
    private static readonly TimeSpan _never = TimeSpan.FromHours(1);
    private readonly SetRig _rig = new();
    private readonly RecordingHost _host = new();

    public void Dispose() => _rig.Dispose();

    [Theory]
    [InlineData("type ipv4_addr;", "ip4", 200)]
    [InlineData("type ipv4_addr; flags interval; auto-merge;", "net4", 12)]
    [InlineData("type ipv4_addr; flags timeout; timeout 5m;", "ip4", 200)]
    [InlineData("type ipv4_addr; flags interval, timeout; auto-merge; timeout 5m;", "net4", 12)]
    [InlineData("type ipv6_addr;", "ip6", 200)]
    [InlineData("type ipv6_addr; flags interval; auto-merge;", "net6", 12)]
    [InlineData("type inet_service;", "port", 2)]
    [InlineData("type inet_proto;", "proto", 2)]
    [InlineData("type mark;", "mark", 4)]
    [InlineData("type mark; flags interval;", "mark", 4)]
    [InlineData("type ipv4_addr . inet_service;", "ip4.port", 400)]
    [InlineData("type ipv6_addr . inet_service;", "ip6.port", 400)]
    [InlineData("type ipv4_addr . inet_proto . inet_service;", "ip4.proto.port", 600)]
    [InlineData("type ipv4_addr . mark;", "ip4.mark", 500)]
    [InlineData("type ipv4_addr . inet_service; flags interval;", "net4.ports", 60)]
    [InlineData("type ipv6_addr . inet_service; flags interval;", "net6.ports", 60)]
    [InlineData("type inet_service . ipv4_addr . ipv4_addr; flags interval;", "ports.net4.net4", 64)]
    public async Task They_say_what_nft_says(string type, string parts, int members)
    {
        RandomSetFlows random = new(type.Length + members, parts.Contains('6', StringComparison.Ordinal));
        _rig.Nft($"table inet t {{ set s {{ {type} }}; }}");
        _rig.Nft(Adding(random, parts, members));
        await using SetClassifier classifier = await _rig.StartAsync(_host, _never, "nft:inet/t/s=wan");
        Assert.Null(classifier.Sets[0].Problem);

        FlowQuestion[] flows =
        [
            .. Enumerable.Range(0, Flows * 3).Select(_ => random.Flow())
                .Where(flow => !parts.Contains("port", StringComparison.Ordinal)
                    || flow.Original.Protocol is IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Sctp)
                .Take(Flows),
        ];
        bool[] expected = _rig.NftGet("inet t s", [.. flows.Select(flow => Text(flow, parts))]);
        Assert.InRange(expected.Count(hit => hit), 3, flows.Length - 3);
        for (int i = 0; i < flows.Length; i++)
        {
            Assert.True(
                expected[i] == (classifier.Classify(flows[i]).Path == "wan"),
                $"Classify of {Text(flows[i], parts)}: nft says {expected[i]}");
            Assert.True(
                expected[i] == (classifier.Confirm(flows[i]).Path == "wan"), $"Confirm of {Text(flows[i], parts)}: nft says {expected[i]}");
        }

        Assert.Equal(0, classifier.ConfirmFailures);
    }

    /// <summary>nft's rules turn the mark to network order for them, its <c>get element</c> does not, so that it finds none.</summary>
    [Fact]
    public async Task Marks_within_concatenated_intervals_are_compared_as_numbers()
    {
        _rig.Nft(
            "table inet t { set s { type ipv4_addr . mark . inet_service; flags interval; "
            + "elements = { 10.0.0.0/8 . 0x100-0x200 . 80-90 }; }; }");
        await using SetClassifier classifier = await _rig.StartAsync(_host, _never, "nft:inet/t/s=wan");

        foreach ((uint mark, string? path) in
            new[] { (0xffU, null), (0x100U, "wan"), (0x180U, "wan"), (0x200U, "wan"), (0x201U, null), (0x10000U, null) })
        {
            FlowQuestion flow = FlowTo("10.1.1.1", 85) with { Mark = mark };
            Assert.Equal(path, classifier.Classify(flow).Path);
            Assert.Equal(path, classifier.Confirm(flow).Path);
        }
    }

    [Fact]
    public async Task Members_are_noticed_as_they_come_and_go()
    {
        _rig.Nft(
            "table inet t { set s { type ipv4_addr; }; set r { type ipv4_addr; flags interval; }; map m { type ipv4_addr : verdict; }; }");
        await using SetClassifier classifier =
            await _rig.StartAsync(_host, _never, "nft:inet/t/s=wan", "nft:inet/t/r=lte", "nft:inet/t/m=map");

        _rig.Nft("add element inet t s { 10.0.0.1, 10.0.0.2 }");
        Eventually.True(() => _host.Covers("10.0.0.1") && _host.Covers("10.0.0.2"));
        Assert.False(_host.Covers("10.0.0.3"));
        Assert.Equal("nft inet t s", classifier.Classify(FlowTo("10.0.0.1", 80)).Reason);

        _rig.Nft("add element inet t r { 10.0.1.0/24 }\nadd element inet t m { 10.0.2.1 : drop }");
        Eventually.True(() => classifier.Classify(FlowTo("10.0.1.200", 80)).Path == "lte");
        Eventually.True(() => classifier.Classify(FlowTo("10.0.2.1", 80)).Path == "map");
        Eventually.True(() => _host.Covers("10.0.1.255"));
        Assert.False(_host.Covers("10.0.3.0"));

        _rig.Nft("delete element inet t s { 10.0.0.1 }");
        Eventually.True(() => classifier.Classify(FlowTo("10.0.0.1", 80)).Path is null);
        Assert.Equal("wan", classifier.Classify(FlowTo("10.0.0.2", 80)).Path);

        _rig.Nft("flush set inet t s");
        Eventually.True(() => classifier.Classify(FlowTo("10.0.0.2", 80)).Path is null);
    }

    [Fact]
    public async Task A_set_is_waited_for_and_may_come_back_as_another()
    {
        await using SetClassifier classifier = await _rig.StartAsync(_host, _never, "nft:inet/t/s=wan");
        Assert.Equal("0 sets, 0 members; waiting for nft inet t s", classifier.Status.Text);

        _rig.Nft("table inet t { set s { type ipv4_addr; elements = { 10.0.0.1 }; }; }");
        Eventually.True(() => classifier.Classify(FlowTo("10.0.0.1", 80)).Path == "wan");

        _rig.Nft("delete table inet t");
        Eventually.True(() => classifier.Sets[0].State == SetState.Waiting);
        Assert.Equal(Verdict.None, classifier.Confirm(FlowTo("10.0.0.1", 80)));

        _rig.Nft("table inet t { set s { type ether_addr; }; }");
        Eventually.True(() => classifier.Sets[0].State == SetState.CannotMatch);
        Assert.Equal("needs MAC addresses, which conntrack does not tell", classifier.Sets[0].Problem);

        _rig.Nft("delete table inet t\ntable inet t { set s { type inet_service; elements = { 443 }; }; }");
        Eventually.True(() => classifier.Classify(FlowTo("2001:db8::1", 443)).Path == "wan");
    }

    /// <summary>
    /// A rule of another program for a set's members: its other conditions count, too, and the rules that come before it.
    /// </summary>
    [Fact]
    public async Task A_set_with_a_scope_decides_within_it_alone()
    {
        const string Members = "type ipv4_addr; elements = { 10.0.0.1, 10.0.0.2, 10.0.0.3 };";
        StaticRule[] web =
        [
            new() { Path = null, Origin = "keep", Destination = Net("10.0.0.2/32") },
            new() { Path = "lte", Origin = "web", DestinationPort = new PortRange(443, 443) },
        ];
        IpPrefix earlier = Net("10.0.0.3/32");
        SetScope scope = new(
            web, (in FlowQuestion question) => earlier.Contains(question.Original.Destination, FlowFamily.IPv4), "cannot be looked up");
        SetRule[] rules = [SetRig.Rule("nft:inet/t/s=keep") with { Scope = scope }, SetRig.Rule("nft:inet/t/r=wan")];
        await using SetClassifier classifier = await _rig.StartAsync(_host, _never, rules);
        Assert.Equal(QuestionFields.DestinationPort, classifier.Fields);
        Says("keep", "10.0.0.1", 443); // it could be a member
        Says(null, "10.0.0.1", 80);
        Says(null, "10.0.0.3", 443);

        _rig.Nft($"table inet t {{ set s {{ {Members} }}; set r {{ {Members} }}; }}");
        Eventually.True(() => classifier.Sets.All(static set => set.State == SetState.Ready));
        Says("lte", "10.0.0.1", 443);
        Says("keep", "10.0.0.2", 443);
        Says("wan", "10.0.0.1", 80); // what is not the scope's is the next set's
        Says("wan", "10.0.0.3", 443);
        Says(null, "10.0.0.4", 443);
        Assert.Equal(0, classifier.ConfirmFailures);

        _rig.Nft("delete set inet t s");
        Eventually.True(() => classifier.Sets[0].State == SetState.Waiting);
        Says("keep", "10.0.0.4", 443);
        Says("wan", "10.0.0.1", 80);

        void Says(string? path, string address, ushort port)
        {
            foreach (Verdict verdict in (Verdict[])[classifier.Classify(FlowTo(address, port)), classifier.Confirm(FlowTo(address, port))])
                Assert.Equal(path, verdict.Kind == VerdictKind.Keep ? "keep" : verdict.Path);
        }

        static IpPrefix Net(string text) =>
            IpPrefix.TryParse(text, out IpPrefix prefix, out string? error) ? prefix : throw new InvalidOperationException(error);
    }

    [Fact]
    public async Task Timeouts_bound_the_verdict_and_expire()
    {
        _rig.Nft(
            "table inet t { set s { type ipv4_addr; flags timeout; elements = { 10.0.0.1 timeout 1s, "
            + "10.0.0.2 timeout 1h, 10.0.0.3 }; }; }");
        await using SetClassifier classifier = await _rig.StartAsync(_host, _never, "nft:inet/t/s=wan");

        Assert.InRange(classifier.Classify(FlowTo("10.0.0.2", 80)).ValidFor!.Value.TotalMinutes, 50, 60);
        Assert.InRange(classifier.Confirm(FlowTo("10.0.0.2", 80)).ValidFor!.Value.TotalMinutes, 50, 60);
        Assert.Null(classifier.Classify(FlowTo("10.0.0.3", 80)).ValidFor);
        Eventually.True(() => classifier.Classify(FlowTo("10.0.0.1", 80)).Path is null);
        Assert.Equal("wan", classifier.Classify(FlowTo("10.0.0.3", 80)).Path);
    }

    [Fact]
    public async Task The_member_for_all_others_matches_them()
    {
        _rig.Nft("table inet t { map s { type ipv4_addr : mark; elements = { 10.0.0.1 : 1, * : 2 }; }; }");
        await using SetClassifier classifier = await _rig.StartAsync(_host, _never, "nft:inet/t/s=wan");

        Assert.Equal("wan", classifier.Classify(FlowTo("10.9.9.9", 80)).Path);
        Assert.Equal("wan", classifier.Confirm(FlowTo("10.9.9.9", 80)).Path);
        Assert.Equal(Verdict.None, classifier.Classify(FlowTo("2001:db8::9", 80)));
        _rig.Nft("delete element inet t s { * }");
        Eventually.True(() => classifier.Classify(FlowTo("10.9.9.9", 80)).Path is null);
    }

    [Fact]
    public async Task Lost_notifications_bring_another_reading()
    {
        _rig.Nft("table inet t { set s { type ipv4_addr; }; set other { type ipv4_addr . inet_service; }; }");
        await using SetClassifier classifier = await _rig.StartAsync(_host, _never, "nft:inet/t/s=wan");

        for (int batch = 0; batch < 4; batch++)
            _rig.Nft(Flood(batch));
        Eventually.True(() => classifier.Sets[0].Members == 4 * FloodMembers, state: () => classifier.Status.Text);
    }

    /// <summary>
    /// With ENOBUFS only the first would be seen: the kernel says nothing more until the queue is empty, and drops everything.
    /// </summary>
    [Fact]
    public void Each_loss_of_notifications_is_noticed()
    {
        _rig.Nft("table inet t { set s { type ipv4_addr; }; }");
        using NftNotifications notifications = NftNotifications.Open(_rig.Namespace, join: true);
        for (int batch = 0; batch < 4; batch += 2)
        {
            _rig.Nft(Flood(batch) + Flood(batch + 1));
            Assert.True(notifications.Drain([], static _ => { }) > 0);
        }

        _rig.Nft("add element inet t s { 10.9.9.9 }");
        Assert.Equal(0, notifications.Drain([], static _ => { }));
    }

    /// <summary>Commands whose notifications, twice, are more than the queue holds.</summary>
    private static string Flood(int batch)
    {
        StringBuilder flood = new();
        for (int i = 0; i < FloodMembers; i++)
            flood.Append(
                CultureInfo.InvariantCulture,
                $"{(i % 500 == 0 ? (i == 0 ? "" : " }\n") + "add element inet t s { " : ", ")}10.{batch}.{i >> 8}.{i & 255}");
        return flood.Append(" }\n").ToString();
    }

    private static string Adding(RandomSetFlows random, string parts, int members)
    {
        StringBuilder commands = new();
        HashSet<string> seen = [];
        for (int i = 0; i < members; i++)
        {
            string member = Member(random, parts, i);
            if (seen.Add(member))
                commands.Append(CultureInfo.InvariantCulture, $"{(commands.Length == 0 ? "add element inet t s { " : ", ")}{member}");
        }

        return commands.Append(" }").ToString();
    }

    // Concatenated ranges must not overlap: they differ in the /27 or /123 that the number of the member chooses.
    private static string Member(RandomSetFlows random, string parts, int i) =>
        string.Join(" . ", parts.Split('.').Select((part, at) => part switch
        {
            "port" => random.Port().ToString(CultureInfo.InvariantCulture),
            "ports" => _ports[i & 3],
            "proto" => random.Next(2) == 0 ? "tcp" : "gre",
            "mark" => string.Create(CultureInfo.InvariantCulture, $"0x{random.Mark():x8}"),
            "net4" when parts.Contains('.', StringComparison.Ordinal) =>
                string.Create(CultureInfo.InvariantCulture, $"10.0.{(i >> 5) & 1}.{((i >> 2) & 7) * 32}/{28 + (i % 3)}"),
            "net6" when parts.Contains('.', StringComparison.Ordinal) =>
                string.Create(CultureInfo.InvariantCulture, $"2001:db8::{(i >> 5) & 1}:{((i >> 2) & 7) * 32:x}/{124 + (i % 3)}"),
            "net4" or "net6" => random.Net(shortest: 7),
            _ => random.Address(),
        }));

    private static string Text(FlowQuestion flow, string parts) => string.Join(" . ", parts.Split('.').Select(part => part switch
    {
        "port" or "ports" => flow.Original.DestinationPort.ToString(CultureInfo.InvariantCulture),
        "proto" => ((byte)flow.Original.Protocol).ToString(CultureInfo.InvariantCulture),
        "mark" => string.Create(CultureInfo.InvariantCulture, $"0x{flow.Mark:x8}"),
        _ => flow.Original.Destination.ToIPAddress(flow.Original.Family).ToString(),
    }));
}
