using System.Globalization;
using System.Text;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Sets;
using ConntrackStream.Sinks.Reclassify.Sets.Model;

namespace ConntrackStream.Kernel.Tests.Reclassify;

/// <summary>Look-ups, in the mirror and in the kernel, against <c>ipset test</c>, for random members and flows.</summary>
public sealed class IpsetLookUpTests : IDisposable
{
    private const int Flows = 300;
    private readonly SetRig _rig = new();

    public void Dispose() => _rig.Dispose();

    [Theory]
    [InlineData("bitmap:ip range 10.0.0.0/23", "ip", "dst", 200)]
    [InlineData("bitmap:ip range 10.0.0.0/23 netmask 28", "ip", "src", 12)]
    [InlineData("bitmap:ip range 10.0.0.64-10.0.1.10 timeout 600", "ip-bitmap", "dst", 60)]
    [InlineData("hash:ip", "ip", "dst", 200)]
    [InlineData("hash:ip timeout 300", "ip", "src", 200)]
    [InlineData("hash:ip netmask 28", "ip", "dst", 12)]
    [InlineData("hash:ip bitmask 255.255.0.255", "ip", "dst", 60)]
    [InlineData("hash:ip family inet6", "ip6", "dst", 200)]
    [InlineData("hash:ip family inet6 netmask 124", "ip6", "src", 20)]
    [InlineData("hash:net", "net", "dst", 40)]
    [InlineData("hash:net timeout 300", "net", "src", 40)]
    [InlineData("hash:net family inet6", "net6", "dst", 40)]
    [InlineData("hash:ip,port", "ip,port", "dst,dst", 400)]
    [InlineData("hash:ip,port", "ip,port", "dst,src", 400)]
    [InlineData("hash:ip,port netmask 28", "ip,port", "src,dst", 60)]
    [InlineData("hash:ip,port family inet6 timeout 300", "ip6,port", "dst,dst", 400)]
    [InlineData("hash:net,port", "net,port", "dst,dst", 60)]
    [InlineData("hash:net,port family inet6", "net6,port", "src,src", 60)]
    [InlineData("hash:ip,port,ip timeout 300", "ip,port,ip", "src,dst,dst", 700)]
    [InlineData("hash:ip,port,ip family inet6", "ip6,port,ip6", "dst,dst,src", 700)]
    [InlineData("hash:ip,port,net", "ip,port,net", "dst,dst,src", 2000)]
    [InlineData("hash:ip,port,net family inet6", "ip6,port,net6", "src,dst,dst", 2000)]
    public async Task They_say_what_ipset_says(string type, string parts, string directions, int members)
    {
        RandomSetFlows random = new(
            Seed(type + directions),
            parts.Contains('6', StringComparison.Ordinal),
            parts.EndsWith("port,ip", StringComparison.Ordinal) || parts.EndsWith("port,ip6", StringComparison.Ordinal) ? 8 : 256);
        StringBuilder commands = new($"create s {type}\n");
        for (int i = 0; i < members; i++)
        {
            string nomatch = parts.Contains("net", StringComparison.Ordinal) && random.Next(3) == 0 ? " nomatch" : "";
            string timeout = type.Contains("timeout", StringComparison.Ordinal) && random.Next(2) == 0 ? " timeout 0" : "";
            commands.Append(CultureInfo.InvariantCulture, $"add -exist s {Member(random, parts)}{timeout}{nomatch}\n");
        }

        _rig.Ipset(commands.ToString());
        await CompareAsync(random, parts, directions);
    }

    [Fact]
    public async Task Bitmaps_of_ports_hold_for_tcp_and_udp_alone()
    {
        _rig.Ipset("create s bitmap:port range 81-100\nadd s 81\nadd s 83\n");
        await using SetClassifier classifier = await _rig.StartAsync(new RecordingHost(), TimeSpan.FromHours(1), "ipset:s@dst=wan");

        RandomSetFlows random = new(1, ipv6: false);
        for (int i = 0; i < Flows; i++)
        {
            FlowQuestion flow = random.Flow();
            bool expected = flow.Original.Protocol is IpProtocol.Tcp or IpProtocol.Udp && flow.Original.DestinationPort is 81 or 83;
            Assert.Equal(expected ? "wan" : null, classifier.Classify(flow).Path);
            Assert.Equal(expected ? "wan" : null, classifier.Confirm(flow).Path);
        }
    }

    [Fact]
    public async Task Lists_hold_what_their_sets_hold()
    {
        _rig.Ipset(
            "create a hash:ip\nadd a 10.0.0.1\ncreate b hash:net,port\nadd b 10.0.1.0/25,tcp:80\ncreate s list:set\nadd s b\nadd s a\n");
        RecordingHost host = new();
        await using SetClassifier one = await _rig.StartAsync(host, TimeSpan.FromMilliseconds(20), "ipset:s@dst=wan");
        await using SetClassifier two = await _rig.StartAsync(new RecordingHost(), TimeSpan.FromHours(1), "ipset:s@dst+dst=wan");
        FlowQuestion ofA = FlowTo("10.0.0.1", 80), ofB = FlowTo("10.0.1.3", 80), ofNone = FlowTo("10.0.1.3", 81);

        // one direction: b's two dimensions never match
        Assert.Equal(["wan", null, null], new[] { ofA, ofB, ofNone }.Select(flow => one.Classify(flow).Path), StringComparer.Ordinal);
        Assert.Equal(["wan", null, null], new[] { ofA, ofB, ofNone }.Select(flow => one.Confirm(flow).Path), StringComparer.Ordinal);
        Assert.Equal(["wan", "wan", null], new[] { ofA, ofB, ofNone }.Select(flow => two.Classify(flow).Path), StringComparer.Ordinal);
        Assert.Equal(["wan", "wan", null], new[] { ofA, ofB, ofNone }.Select(flow => two.Confirm(flow).Path), StringComparer.Ordinal);

        _rig.Ipset("create c hash:ip\nadd c 10.0.0.9\nadd s c\ndel s a\n");
        Eventually.True(() => one.Classify(FlowTo("10.0.0.9", 80)).Path == "wan");
        Eventually.True(() => one.Classify(ofA).Path is null);
        Eventually.True(() => host.Covers("10.0.0.9"));
    }

    internal static FlowQuestion FlowTo(string address, ushort port, IpProtocol protocol = IpProtocol.Tcp) => new(new FlowTuple
    {
        Family = address.Contains(':', StringComparison.Ordinal) ? FlowFamily.IPv6 : FlowFamily.IPv4,
        Protocol = protocol,
        Source =
            IpAddress.From(System.Net.IPAddress.Parse(address.Contains(':', StringComparison.Ordinal) ? "2001:db8::5" : "192.168.7.7")),
        Destination = IpAddress.From(System.Net.IPAddress.Parse(address)),
        SourcePort = 40000,
        DestinationPort = port,
    }, 0, null);

    private async Task CompareAsync(RandomSetFlows random, string parts, string directions)
    {
        await using SetClassifier classifier = await _rig.StartAsync(
            new RecordingHost(), TimeSpan.FromHours(1), $"ipset:s@{directions.Replace(',', '+')}=wan");
        Assert.Equal(SetState.Ready, Assert.Single(classifier.Sets).State);
        bool[] sources = [.. directions.Split(',').Select(direction => direction == "src")];
        FlowQuestion[] flows = [.. Enumerable.Range(0, Flows).Select(_ => random.Flow())];
        bool[] expected = _rig.IpsetTest("s", flows.Select(flow => Text(flow.Original, parts, sources)));

        Assert.Equal(Flows, expected.Length);
        Assert.InRange(expected.Count(hit => hit), 5, Flows - 5);
        for (int i = 0; i < Flows; i++)
        {
            string text = Text(flows[i].Original, parts, sources);
            Assert.True(expected[i] == (classifier.Classify(flows[i]).Path == "wan"), $"Classify of {text}: ipset says {expected[i]}");
            Assert.True(expected[i] == (classifier.Confirm(flows[i]).Path == "wan"), $"Confirm of {text}: ipset says {expected[i]}");
        }

        Assert.Equal(0, classifier.ConfirmFailures);
    }

    private static string Member(RandomSetFlows random, string parts) => string.Join(',', parts.Split(',').Select(part => part switch
    {
        "port" => random.ProtocolAndPort(),
        "ip-bitmap" => string.Create(CultureInfo.InvariantCulture, $"10.0.0.{64 + random.Next(192)}"),
        _ when part.StartsWith("net", StringComparison.Ordinal) => random.Net(),
        _ => random.Address(),
    }));

    private static string Text(FlowTuple flow, string parts, bool[] sources) =>
        string.Join(',', parts.Split(',').Select((part, i) => part switch
        {
            "port" => RandomSetFlows.ProtocolAndPort(flow, sources[i]),
            _ => (sources[i] ? flow.Source : flow.Destination).ToIPAddress(flow.Family).ToString(),
        }));

    private static int Seed(string text) => text.Aggregate(17, (seed, c) => unchecked((seed * 31) + c));
}
