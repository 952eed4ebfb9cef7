using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Service.Cli;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Kernel.Tests;

/// <summary>Each filter option beside conntrack's own: the same command line, the same entries, the same lines.</summary>
[Collection("Kernel")]
public sealed partial class FilterBesideConntrackTests : IDisposable
{
    private static readonly string[] Entries =
    [
        "-I -t 300 -p tcp -s 10.1.2.3 -d 192.0.2.7 --sport 1000 --dport 80 --state ESTABLISHED -u ASSURED,SEEN_REPLY",
        "-I -t 300 -p tcp -s 10.1.2.4 -d 192.0.2.7 --sport 1001 --dport 80 --state ESTABLISHED -g 172.16.0.9:8080",
        "-I -t 300 -p tcp -s 10.1.2.4 -d 192.0.2.8 --sport 1002 --dport 443 --state CLOSE -n 203.0.113.5:40000 -m 0x1bd10",
        "-I -t 300 -p udp -s 10.1.2.5 -d 192.0.2.53 --sport 1003 --dport 53 -n 203.0.113.5 -g 172.16.0.53",
        "-I -t 300 -p udp -s 10.1.130.5 -d 10.9.9.9 --sport 53 --dport 5353 -m 0x1bdff",
        "-I -t 300 -p udp -s 10.1.2.12 -d 10.9.9.9 --sport 53 --dport 5353 -u FIXED_TIMEOUT",
        "-I -t 300 -p udp -s 10.1.2.13 -d 10.9.9.9 --sport 53 --dport 5353 -m 5",
        "-I -t 300 -p udp -s 10.1.2.5 -d 10.9.9.9 --sport 53 --dport 5354 -w 7",
        "-I -t 300 -p udp -s 10.1.2.6 -d 10.9.9.9 --sport 53 --dport 5353 --orig-zone 9",
        "-I -t 300 -p udp -s 10.1.2.7 -d 10.9.9.9 --sport 53 --dport 5353 --reply-zone 11",
        "-I -t 300 -p sctp -s 10.1.2.8 -d 10.9.9.9 --sport 53 --dport 5353 --state CLOSED --orig-vtag 1 --reply-vtag 2",
        "-I -t 300 -p sctp -s 10.1.2.8 -d 10.9.9.9 --sport 54 --dport 5353 --state ESTABLISHED --orig-vtag 3 --reply-vtag 4",
        "-I -t 300 -p gre -s 10.1.2.9 -d 10.9.9.9 --srckey 5 --dstkey 6",
        "-I -t 300 -p gre -s 10.1.2.9 -d 10.9.9.9 --srckey 7 --dstkey 8",
        "-I -t 300 -p icmp -s 10.1.2.10 -d 10.9.9.9 --icmp-type 8 --icmp-code 0 --icmp-id 77",
        "-I -t 300 -p icmp -s 10.1.2.11 -d 10.9.9.9 --icmp-type 13 --icmp-code 0 --icmp-id 78",
        "-I -t 300 -p udplite -s 10.1.2.8 -d 10.9.9.9 --sport 53 --dport 5353",
        "-I -t 300 -p 50 -s 10.1.2.8 -d 10.9.9.9",
        "-I -t 300 -p udp -s 2001:db8::1 -d 2001:db8:8000::2 --sport 53 --dport 5353",
        "-I -t 300 -p tcp -s 2001:db8:0:5::1 -d 2001:db8:8000::3 --sport 53 --dport 80 --state ESTABLISHED -n 2001:db8:ff::1",
        "-I -t 300 -p icmpv6 -s 2001:db8::1 -d 2001:db8:8000::2 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 79",
    ];

    /// <summary>Command lines of both.</summary>
    private static readonly string[] Same =
    [
        "-p tcp", "-p 6", "-p udp", "-p udplite", "-p esp", "-p 50", "-p icmp", "-p ipv6-icmp", "--protonum gre",
        "-s 10.1.2.4", "-s 10.1.2.0/24", "--orig-src 10.1.2.5", "-s 10.1.2.5 --mask-src 255.255.0.255", "-s 2001:db8::/48",
        "-d 192.0.2.7", "--orig-dst 10.9.0.0/16", "-d 10.9.9.9 --mask-dst 255.0.0.255", "-s 10.1.2.4 -d 192.0.2.8",
        "-r 192.0.2.7", "-r 172.16.0.9", "--reply-src 2001:db8:8000::3", "-q 203.0.113.5", "-q 10.1.2.3", "--reply-dst 2001:db8:ff::1",
        "-n", "-n 203.0.113.5", "-n 203.0.113.5:40000", "-n 203.0.113.5:1003", "-n 203.0.113.6", "--src-nat 10.1.2.3",
        "-g", "-g 172.16.0.9", "-g 172.16.0.9:8080", "-g 172.16.0.9:80", "--dst-nat 172.16.0.53", "-n -g", "-n 203.0.113.5 -g 172.16.0.53",
        "-j", "-j 203.0.113.5", "-j 172.16.0.9:8080", "--any-nat 192.0.2.7", "-n 2001:db8:ff::1",
        "-p tcp --sport 1001", "-p tcp --orig-port-src 1002", "-p udp --dport 53", "-p tcp --orig-port-dst 80", "-p sctp --dport 5353",
        "-p udplite --sport 53", "-p tcp --reply-port-src 8080", "-p tcp --reply-port-dst 40000",
        "-p icmp --icmp-type 8", "-p icmp --icmp-code 0", "-p icmp --icmp-id 78", "-p icmpv6 --icmpv6-type 128",
        "-p icmpv6 --icmpv6-id 79", "-p icmp --icmp-type 8 --icmp-code 0 --icmp-id 77", "-p icmp --icmp-type 0",
        "-w 7", "-w 0", "--orig-zone 9", "--reply-zone 11", "--orig-zone 7", "-w 12",
        "-m 5", "-m 0x1bd10", "-m 0x1bd00/0xffffff00", "-m 0/0xff", "-m 4/4", "-m 0",
        "-p tcp --state ESTABLISHED", "-p tcp --state CLOSE", "-p sctp --state CLOSED", "-p sctp --state ESTABLISHED",
        "-u ASSURED", "-u SEEN_REPLY", "-u ASSURED,SEEN_REPLY", "-u UNREPLIED", "-u !ASSURED",
        "-u FIXED_TIMEOUT", "-u EXPECTED", "-u !SEEN_REPLY,!ASSURED",
        "-f ipv4", "-f ipv6", "-f ipv6 -p udp", "-p tcp -s 10.1.2.4 --state CLOSE -n -m 0x1bd10",
    ];

    /// <summary>Where they differ, and how many entries each finds: docs/filters.md says why. -1: conntrack fails.</summary>
    private static readonly (string Options, int Ours, int Theirs)[] Different =
    [
        ("-p gre --srckey 5", 1, 2), ("-p gre --dstkey 0x8", 1, 2), ("-p gre --reply-key-src 6", 1, 2),
        ("-w 9", 1, 0), ("-w 11", 1, 0),
        ("-u UNSET", 21, -1), ("-u FIXED_TIMEOUT,!ASSURED", 1, 0),
        ("-r 192.0.2.0/24", 2, -1), ("--dport 80", 3, -1),
        ("-p sctp --orig-vtag 0x1000000", 1, -1), ("-p sctp --reply-vtag 0x4000000", 1, -1), // conntrack -I writes tags byte-swapped
        ("-p tcp --sport 1000-1001", 2, 1), ("-m 1-0x1bdff", 3, 0),
    ];

    private readonly TapTestNamespace _space = new();
    private readonly FlowBatch _batch = new();

    public void Dispose() => _space.Dispose();

    [Fact]
    public void Every_option_finds_what_conntrack_finds()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "network namespaces need root");
        _space.Load(Entries);
        List<FlowEvent> table = Dump();
        Assert.Equal(Entries.Length, table.Count);
        List<string> wrong = [];
        foreach (string options in Same)
        {
            string expected = Listed(options), actual = Matching(table, options);
            if (expected != actual)
                wrong.Add($"{options}\n  conntrack:\n{expected}\n  ours:\n{actual}");
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    private List<FlowEvent> Dump()
    {
        List<FlowEvent> rows = [];
        using ConntrackClient client = _space.Network.Run(static () => new ConntrackClient());
        client.Dump(
            FlowFamily.Unspecified,
            new FlowBatchPool(),
            batch =>
            {
                foreach (FlowEvent row in batch.Span)
                {
                    FlowEvent kept = row;
                    kept.Flow.Extras = row.Flow.Extras?.Clone();
                    rows.Add(kept);
                }

                batch.Release();
            },
            TestContext.Current.CancellationToken);
        return rows;
    }

    [Fact]
    public void Where_they_differ_conntrack_is_as_documented()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "network namespaces need root");
        _space.Load(Entries);
        List<FlowEvent> table = Dump();
        foreach ((string options, int ours, int theirs) in Different)
        {
            Assert.Equal((options, ours), (options, CountOf(Matching(table, options))));
            Assert.Equal((options, theirs), (options, TryList(options) is { } list ? CountOf(list) : -1));
        }

        static int CountOf(string lines) => lines.Length == 0 ? 0 : lines.Split('\n').Length;
    }

    [Fact]
    public void An_id_finds_its_entry_alone()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "network namespaces need root");
        _space.Load(Entries);
        List<FlowEvent> table = Dump();
        string[] all = Listed("").Split('\n');
        Assert.All(table, row =>
        {
            string options = string.Create(CultureInfo.InvariantCulture, $"-i {row.Flow.Id}");
            Assert.Equal(all.Single(line => line.EndsWith($" id={row.Flow.Id}", StringComparison.Ordinal)), Matching(table, options));
        });
    }

    private string Listed(string options) => TryList(options) ?? throw new InvalidOperationException($"conntrack -L {options} failed");

    private string? TryList(string options)
    {
        try
        {
            return Lines(_space.Inside(
                "conntrack", ["-L", "-o", "id", .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries)]));
        }
        catch (ToolException)
        {
            return null;
        }
    }

    private static string Matching(List<FlowEvent> table, string options)
    {
        FilterOptions filter = new();
        Command command = new("list");
        command.Add(filter.All);
        ParseResult parsed = command.Parse(options.Split(' '), UsageFaults.Parser);
        Assert.Empty(parsed.Errors);
        FlowFilter wanted = filter.Read(parsed);
        byte[] line = new byte[ConntrackText.MaxLineBytes];
        return Lines(string.Join('\n', table.Where(row => wanted.Matches(row.Flow)).Select(row =>
            Encoding.UTF8.GetString(line.AsSpan(0, ConntrackText.Write(line, row, new ConntrackTextOptions { Id = true }))))));
    }

    /// <summary>In order, with the seconds left taken out: they may differ by one.</summary>
    private static string Lines(string text) => string.Join('\n', text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Select(static line => Timeout().Replace(line, "${protocol} T ")).Order(StringComparer.Ordinal));

    [GeneratedRegex(@"(?<protocol>^\w+\s+\d+) \d+ ", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Timeout();
}
