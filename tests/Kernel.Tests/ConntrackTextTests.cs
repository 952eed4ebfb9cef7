using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Kernel.Tests;

/// <summary>Our lines and those of the conntrack program, side by side, byte for byte.</summary>
public sealed partial class ConntrackTextTests
{
    private const string Marker = "-p udp -s 192.0.2.1 -d 192.0.2.2 --dport 9";

    /// <summary>Arguments of <c>conntrack -I</c>: every protocol, state, kind of zone and NAT.</summary>
    private static readonly string[] Entries =
    [
        "-p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 1000 --dport 80 --state ESTABLISHED -t 300 -u SEEN_REPLY,ASSURED -m 5",
        "-p tcp -s fd00::1 -d 2001:db8::2 --sport 1000 --dport 80 --state SYN_SENT -t 300",
        "-p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 1001 --dport 80 --state SYN_RECV -t 300",
        "-p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 1002 --dport 80 --state FIN_WAIT -t 300 -u SEEN_REPLY",
        "-p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 1003 --dport 80 --state CLOSE_WAIT -t 300 -u SEEN_REPLY",
        "-p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 1004 --dport 80 --state LAST_ACK -t 300 -u SEEN_REPLY",
        "-p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 1005 --dport 80 --state TIME_WAIT -t 300 -u SEEN_REPLY",
        "-p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 1006 --dport 80 --state CLOSE -t 300",
        "-p udp -s 10.0.0.1 -d 10.0.0.2 --sport 1000 --dport 80 -t 300",
        "-p icmp -s 10.0.0.1 -d 10.0.0.2 --icmp-type 8 --icmp-code 0 --icmp-id 77 -t 300",
        "-p icmpv6 -s fd00::1 -d fd00::2 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 77 -t 300",
        "-p udplite -s fd00::1 -d ::ffff:1.2.3.4 --sport 1 --dport 2 -t 300",
        "-p sctp -s 10.0.0.1 -d 10.0.0.2 --sport 1 --dport 2 --state ESTABLISHED --orig-vtag 1 --reply-vtag 2 -t 300",
        "-p dccp -s 10.0.0.1 -d 10.0.0.2 --sport 1 --dport 2 --state OPEN --role client -t 300",
        "-p gre -s 10.0.0.1 -d 10.0.0.2 --srckey 0x10 --dstkey 0xabcd -t 300",
        "-p 50 -s 10.0.0.1 -d 10.0.0.2 -t 600",
        "-p udp -s 10.0.0.9 -d 10.0.0.2 --sport 1000 --dport 80 -t 300 -w 7",
        "-p udp -s 10.0.0.9 -d 10.0.0.2 --sport 1000 --dport 80 -t 300 --orig-zone 8",
        "-p udp -s 10.0.0.9 -d 10.0.0.2 --sport 1000 --dport 80 -t 300 --reply-zone 9",
        "-p udp -s 10.0.0.9 -d 10.0.0.2 --sport 1001 --dport 80 -t 300 --src-nat 1.1.1.1:99",
        "-p tcp -s 10.0.0.9 -d 10.0.0.2 --sport 1002 --dport 80 --state ESTABLISHED -t 300 --dst-nat 1.1.1.1:99",
    ];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_dump_is_printed_as_the_tool_lists_it(bool accounting)
    {
        using KernelNamespace space = new();
        Requirements.Tool("conntrack");
        EnableAccounting(space, accounting);
        foreach (string entry in Entries)
            Conntrack(space, $"-I {entry}");
        Traffic(space);

        Dictionary<string, string> before = ById(Dump(space));
        Dictionary<string, string> listed = ById(
            Conntrack(space, "-L -o extended,id,ktimestamp").Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Dictionary<string, string> after = ById(Dump(space));
        Assert.True(listed.Count > Entries.Length, "the traffic made entries too");
        Assert.Equal(listed.Keys.ToHashSet(StringComparer.Ordinal), before.Keys.ToHashSet(StringComparer.Ordinal));
        Assert.Equal(listed.Keys.ToHashSet(StringComparer.Ordinal), after.Keys.ToHashSet(StringComparer.Ordinal));
        foreach (string id in listed.Keys)
        {
            Assert.InRange(Timeout(listed[id]), Timeout(after[id]), Timeout(before[id]));
            Assert.InRange(Age(listed[id]), Age(before[id]), Age(after[id]));
            Assert.Equal(Timeless(listed[id]), Timeless(before[id]));
            Assert.Equal(Timeless(listed[id]), Timeless(after[id]));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Events_are_printed_as_the_tool_prints_them(bool accounting)
    {
        using KernelNamespace space = new();
        Requirements.Tool("conntrack");
        EnableAccounting(space, accounting);
        using NetworkNamespace network = NetworkNamespace.OpenName(space.Name);
        await using TapHarness tap = new(new TapOptions { Namespace = network, Updates = true });
        await tap.StartAsync();
        KernelProcess tool = space.Start("conntrack", "-E", "-o", "extended,id");
        Eventually.True(() => Mark(space, 1) && tool.Output.Count > 0); // it listens

        Mark(space, 2);
        foreach (string entry in Entries)
            Conntrack(space, $"-I {entry}");
        Conntrack(space, "-U -p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 1000 --dport 80 -m 6");
        Traffic(space);
        Conntrack(space, "-D -p udp");
        Conntrack(space, "-F");
        Mark(space, 3);
        Eventually.True(() => tool.Output.Any(line => IsMark(line, 3)));
        await tap.DrainAsync();

        List<string> ours = [.. tap.Events.Select(e => Print(in e, new ConntrackTextOptions { Extended = true, Id = true }))];
        string[] expected = [.. Between(tool.Output).Select(line => ProgramName().Replace(line, ""))];
        Assert.True(expected.Length > 3 * Entries.Length, "events of the entries and of the traffic");
        string[] printed = [.. Between(ours)];
        Assert.Equal(expected, printed);
    }

    [Fact]
    public void Labels_are_named_as_the_tool_names_them()
    {
        using KernelNamespace space = new();
        Requirements.Tool("conntrack");
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, "# labels\n1 one\n5 five and more\n");
            space.Rules(
                "table inet labels { chain c { type filter hook output priority 10; udp dport 7001 ct label set 1; "
                + "udp dport 7002 ct label set 5; udp dport 7003 ct label set 9; }; }");
            foreach (ushort port in (ushort[])[7001, 7002, 7003])
                new Generator(space).Udp(IPAddress.Loopback, port);
            // the program reads one file only, so that path is covered in a mount namespace of its own
            string listed = space.Exec(
                "unshare", "-m", "sh",
                "-c", "mount -t tmpfs none /etc && mkdir /etc/xtables && cp \"$0\" /etc/xtables/connlabel.conf && conntrack -L -o labels",
                file);
            ConntrackTextOptions options = new() { Labels = ConntrackLabels.Load(file) };
            Assert.Equal(
                listed.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Timeless).ToHashSet(StringComparer.Ordinal),
                Dump(space, options).Select(Timeless).ToHashSet(StringComparer.Ordinal));
            Assert.Contains("labels=five and more", listed, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static void EnableAccounting(KernelNamespace space, bool on)
    {
        space.Sysctl("net.netfilter.nf_conntrack_acct", on ? "1" : "0");
        space.Sysctl("net.netfilter.nf_conntrack_timestamp", on ? "1" : "0");
    }

    private static void Traffic(KernelNamespace space)
    {
        Generator generator = new(space);
        foreach (IPAddress address in (IPAddress[])[IPAddress.Loopback, IPAddress.IPv6Loopback])
        {
            using TcpFlow closed = generator.Tcp(address), reset = generator.Tcp(address);
            closed.Exchange(1000);
            closed.Close();
            reset.Reset();
            generator.Udp(address, 5353, answered: true);
            generator.Udp(address, 5354);
            generator.Echo(address, id: 4242);
        }

        generator.Sctp(IPAddress.Loopback, IPAddress.Parse("127.0.0.2"), 2000, 3000);
        generator.Gre(IPAddress.Loopback, IPAddress.Parse("127.0.0.2"));
        generator.UdpLite(IPAddress.Loopback, IPAddress.Parse("127.0.0.2"), 2000, 3000);
    }

    private static string[] Dump(KernelNamespace space, ConntrackTextOptions? options = null)
    {
        options ??= new ConntrackTextOptions { Extended = true, Id = true, KernelTimestamps = true };
        List<string> lines = [];
        using ConntrackClient client = space.Run(() => new ConntrackClient());
        client.Dump(FlowFamily.Unspecified, new FlowBatchPool(), batch =>
        {
            foreach (ref readonly FlowEvent e in batch.Span)
                lines.Add(Print(in e, options));
            batch.Release();
        }, TestContext.Current.CancellationToken);
        return [.. lines];
    }

    private static string Print(in FlowEvent e, ConntrackTextOptions options)
    {
        Span<byte> buffer = stackalloc byte[ConntrackText.MaxLineBytes];
        return Encoding.UTF8.GetString(buffer[..ConntrackText.Write(buffer, in e, options)]);
    }

    private static string Conntrack(KernelNamespace space, string arguments) => space.Exec("conntrack", arguments.Split(' '));

    /// <summary>An entry made and deleted, to be seen in both streams.</summary>
    private static bool Mark(KernelNamespace space, int number)
    {
        Conntrack(space, string.Create(CultureInfo.InvariantCulture, $"-I {Marker} --sport {number} -t 9"));
        Conntrack(space, string.Create(CultureInfo.InvariantCulture, $"-D {Marker} --sport {number}"));
        return true;
    }

    private static bool IsMark(string line, int number) =>
        line.StartsWith("[DESTROY]", StringComparison.Ordinal)
        && line.Contains(
            string.Create(CultureInfo.InvariantCulture, $"src=192.0.2.1 dst=192.0.2.2 sport={number} "), StringComparison.Ordinal);

    private static IEnumerable<string> Between(IReadOnlyList<string> lines) =>
        lines.SkipWhile(line => !IsMark(line, 2)).TakeWhile(line => !IsMark(line, 3));

    private static Dictionary<string, string> ById(IEnumerable<string> lines) =>
        lines.ToDictionary(line => line[line.LastIndexOf(" id=", StringComparison.Ordinal)..], StringComparer.Ordinal);

    private static string Timeless(string line) => TimeoutColumn().Replace(AgeField().Replace(line, "delta-time=?"), "${head}?", 1);

    private static int Timeout(string line) =>
        int.Parse(TimeoutColumn().Match(line).Groups["timeout"].ValueSpan, CultureInfo.InvariantCulture);

    private static int Age(string line) =>
        AgeField().Match(line) is { Success: true } match ? int.Parse(match.Groups["age"].ValueSpan, CultureInfo.InvariantCulture) : 0;

    [GeneratedRegex("^(?<head>(?:ipv[46] +\\d+ )?[a-z0-9]+ +\\d+ )(?<timeout>\\d+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex TimeoutColumn();

    [GeneratedRegex("delta-time=(?<age>\\d+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex AgeField();

    [GeneratedRegex(" progname=.*$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex ProgramName();
}
