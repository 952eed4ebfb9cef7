using System.Text.RegularExpressions;
using ConntrackStream.Kernel.Tests.Kit;

namespace ConntrackStream.Kernel.Tests.Service;

/// <summary>list, count, stats and delete beside the tool they take after.</summary>
public sealed partial class VerbsBesideConntrackTests : IDisposable
{
    private readonly KernelNamespace _space = new(track: false);

    public VerbsBesideConntrackTests()
    {
        Create(
            "-p", "tcp", "-s", "10.0.0.1", "-d", "10.0.0.2", "--sport", "1000", "--dport", "80", "--state", "ESTABLISHED", "-m", "5",
            "-u", "ASSURED,SEEN_REPLY");
        Create("-p", "tcp", "-s", "10.0.0.1", "-d", "10.0.0.3", "--sport", "1001", "--dport", "443", "--state", "SYN_SENT");
        Create("-p", "udp", "-s", "10.0.0.4", "-d", "10.0.0.2", "--sport", "1002", "--dport", "53", "-w", "7");
        Create("-p", "udp", "-s", "192.168.0.9", "-d", "10.9.9.9", "--sport", "1003", "--dport", "53", "-n", "203.0.113.1");
        Create("-p", "icmp", "-s", "10.0.0.1", "-d", "10.0.0.2", "--icmp-type", "8", "--icmp-code", "0", "--icmp-id", "77");
        Create("-p", "udp", "-s", "2001:db8::1", "-d", "2001:db8::2", "--sport", "1004", "--dport", "53");
    }

    public void Dispose() => _space.Dispose();

    [Theory]
    [InlineData("-L", "list")]
    [InlineData("-L -o extended", "list -o extended")]
    [InlineData("-L -o id", "list -o id")]
    [InlineData("-L -o extended,id,ktimestamp", "list -o extended,id,ktimestamp")]
    [InlineData("-L -p tcp", "list -p tcp")]
    [InlineData("-L -s 10.0.0.1", "list -s 10.0.0.1")]
    [InlineData("-L -p udp --dport 53", "list -p udp --dport 53")]
    [InlineData("-L -m 5", "list -m 5")]
    [InlineData("-L -w 7", "list -w 7")]
    [InlineData("-L -f ipv6", "list -f ipv6")]
    [InlineData("-L -u ASSURED", "list -u ASSURED")]
    public async Task List_prints_the_same_lines(string tool, string verb)
    {
        string expected = _space.Exec("conntrack", [.. tool.Split(' ')]);
        (int code, string actual, string error) = await RunAsync(verb);
        Assert.Equal(0, code);
        Assert.Equal(Lines(expected), Lines(actual));
        Assert.Equal($"conntrack-stream: {Lines(actual).Count} flow entries have been shown.\n", error);
    }

    [Fact]
    public async Task Count_and_stats_print_the_same()
    {
        Assert.Equal(_space.Exec("conntrack", "-C"), (await RunAsync("count")).Output);
        Assert.Equal(_space.Exec("conntrack", "-S"), (await RunAsync("stats")).Output);
        Assert.Equal("2\n", (await RunAsync("count -p tcp")).Output);
    }

    [Theory]
    [InlineData("delete -p tcp --dport 80", 1)]
    [InlineData("delete -s 10.0.0.0/24", 4)]
    [InlineData("delete -p icmp", 1)]
    [InlineData("delete -w 7", 1)]
    [InlineData("delete --any-nat", 1)]
    [InlineData("delete -f ipv6", 1)]
    [InlineData("delete --all", 6)]
    [InlineData("delete -s 172.16.0.0/12", 0)]
    public async Task Delete_removes_what_it_shows_and_nothing_else(string verb, int count)
    {
        List<string> before = Lines(_space.Exec("conntrack", "-L"));
        (int code, string shown, string error) = await RunAsync(verb);
        Assert.Equal((count > 0 ? 0 : 1, $"conntrack-stream: {count} flow entries have been deleted.\n"), (code, error)); // as conntrack -D
        List<string> deleted = Lines(shown);
        Assert.Equal(count, deleted.Count);
        Assert.Equal(before.Except(deleted, StringComparer.Ordinal).ToList(), Lines(_space.Exec("conntrack", "-L")));
    }

    [Fact]
    public async Task A_dry_run_deletes_nothing()
    {
        (int code, string shown, string error) = await RunAsync("delete --all --dry-run");
        Assert.Equal((0, 6, "conntrack-stream: 6 flow entries would be deleted.\n"), (code, Lines(shown).Count, error));
        Assert.Equal(6, Lines(_space.Exec("conntrack", "-L")).Count);
    }

    private void Create(params string[] entry) => _space.Exec("conntrack", ["-I", "-t", "1000", .. entry]);

    private Task<(int Code, string Output, string Error)> RunAsync(string verb) =>
        ServiceProcess.RunAsync([.. verb.Split(' '), "--netns", _space.Name]);

    /// <summary>In order, with the seconds left taken out: they may differ by one.</summary>
    private static List<string> Lines(string text) =>
    [
        .. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => Timeout().Replace(line, "${protocol} T "))
            .Order(StringComparer.Ordinal),
    ];

    [GeneratedRegex(@"(?<protocol>\b(tcp|udp|icmp|icmpv6)\s+\d+) \d+ ", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Timeout();
}
