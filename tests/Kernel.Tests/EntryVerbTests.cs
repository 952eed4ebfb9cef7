using System.Text;
using System.Text.RegularExpressions;
using ConntrackStream.Service;
using ConntrackStream.Service.Cli;

namespace ConntrackStream.Kernel.Tests;

/// <summary>get, update, insert, load-file, flush, expect, and list's tables and forms, beside conntrack on the same entries.</summary>
[Collection("Kernel")]
public sealed partial class EntryVerbTests : IDisposable
{
    private static readonly string[] Entries =
    [
        "-I -t 300 -p tcp -s 10.1.2.3 -d 192.0.2.7 --sport 1000 --dport 80 --state ESTABLISHED -u ASSURED,SEEN_REPLY",
        "-I -t 300 -p udp -s 10.1.2.4 -d 192.0.2.53 --sport 1001 --dport 53 -n 203.0.113.5:40000 -m 5",
        "-I -t 300 -p udp -s 10.1.2.5 -d 192.0.2.53 --sport 1002 --dport 53 -w 7",
        "-I -t 300 -p icmp -s 10.1.2.10 -d 10.9.9.9 --icmp-type 8 --icmp-code 0 --icmp-id 77",
        "-I -t 300 -p gre -s 10.1.2.9 -d 10.9.9.9 --srckey 5 --dstkey 6",
        "-I -t 300 -p udp -s 2001:db8::1 -d 2001:db8:8000::2 --sport 53 --dport 5353",
    ];

    private readonly TapTestNamespace _space = new();

    public EntryVerbTests()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "network namespaces need root");
        _space.Load(Entries);
    }

    public void Dispose() => _space.Dispose();

    [Fact]
    public async Task Lists_are_the_same_as_xml_and_as_lines_to_load()
    {
        foreach (string form in (string[])["xml", "save", "xml,id,extended"])
            Assert.Equal(Lines(_space.Inside("conntrack", "-L", "-o", form)), Lines((await RunAsync($"list -o {form}")).Output));
        Assert.Equal((0, "", "conntrack-stream: 0 flow entries have been shown.\n"), await RunAsync("list --table dying -o xml"));
        Assert.Equal((0, "", "conntrack-stream: 0 flow entries have been shown.\n"), await RunAsync("list --table unconfirmed"));
        Assert.Equal(Lines(_space.Inside("conntrack", "-L", "-z")), Lines((await RunAsync("list -z")).Output));
    }

    [Fact]
    public async Task Get_finds_an_entry_by_either_tuple()
    {
        string[] all = Lines(_space.Inside("conntrack", "-L", "-o", "id"));
        foreach ((string tuple, string part) in ((string, string)[])
        [
            ("-p tcp -s 10.1.2.3 -d 192.0.2.7 --sport 1000 --dport 80", "src=10.1.2.3"),
            ("-p udp -s 192.0.2.53 -d 203.0.113.5 --sport 53 --dport 40000", "src=10.1.2.4"),
            ("-p udp -s 10.1.2.5 -d 192.0.2.53 --sport 1002 --dport 53 -w 7", "src=10.1.2.5"),
            ("-p icmp -s 10.1.2.10 -d 10.9.9.9 --icmp-type 8 --icmp-code 0 --icmp-id 77", "src=10.1.2.10"),
            ("-p gre -s 10.9.9.9 -d 10.1.2.9 --srckey 6 --dstkey 5", "src=10.1.2.9"),
            ("-p udp -s 2001:db8::1 -d 2001:db8:8000::2 --sport 53 --dport 5353", "src=2001:db8::1 "),
        ])
        {
            (int code, string output, string error) = await RunAsync($"get -o id {tuple}");
            Assert.Equal((0, ""), (code, error));
            Assert.Equal(all.Single(line => line.Contains($" {part}", StringComparison.Ordinal)), Assert.Single(Lines(output)));
        }

        Assert.Equal(
            (1, "", "conntrack-stream: there is no flow udp src=10.1.2.5 dst=192.0.2.53 sport=1002 dport=53\n"),
            await RunAsync("get -p udp -s 10.1.2.5 -d 192.0.2.53 --sport 1002 --dport 53")); // in zone 0
        Assert.Equal(1, (await RunAsync("get -p tcp -s 10.1.2.3 -d 192.0.2.7 --sport 1000 --dport 80 -i 1")).Code);
    }

    [Fact]
    public async Task Update_changes_what_it_says_of_what_matches_and_nothing_else()
    {
        string[] before = Lines(_space.Inside("conntrack", "-L"));
        (int code, string output, string error) = await RunAsync("update -p udp -f ipv4 --set-mark 0x10/0xf0 --dry-run");
        Assert.Equal((0, 2, "conntrack-stream: 2 flow entries would be updated.\n"), (code, Lines(output).Length, error));
        Assert.Equal(before, Lines(_space.Inside("conntrack", "-L")));

        (code, output, error) = await RunAsync("update -p udp -f ipv4 --set-mark 0x10/0xf0");
        Assert.Equal((0, "conntrack-stream: 2 flow entries have been updated.\n"), (code, error));
        string[] marks = [.. Lines(output).Select(static line => Mark().Match(line).Value)];
        Assert.Equal("mark=16 mark=21", string.Join(" ", marks.Order(StringComparer.Ordinal)));
        Assert.Equal(Lines(output), Lines(_space.Inside("conntrack", "-L", "-p", "udp", "-m", "0x10/0xf0")));
        Assert.Equal(before.Length, Lines(_space.Inside("conntrack", "-L")).Length);
        Assert.Equal(
            (1, "", "conntrack-stream: 0 flow entries have been updated.\n"), await RunAsync("update -p udp -f ipv4 --set-mark 0x10/0xf0"));

        (code, output, _) = await RunAsync("update -w 7 --set-timeout 4000 --set-status ASSURED,FIXED_TIMEOUT -o extended");
        Assert.Equal(0, code);
        Assert.Matches(@"udp +17 (4000|3999) .*\[ASSURED\].*zone=7", output);
        Assert.Single(Lines(_space.Inside("conntrack", "-L", "-u", "FIXED_TIMEOUT")));
    }

    [Fact]
    public async Task Labels_are_set_and_cleared_where_a_rule_uses_labels()
    {
        _space.Inside("nft", "add table inet t; add chain inet t c; add rule inet t c ct label set 1");
        _space.Load(["-I -t 300 -p udp -s 10.1.2.6 -d 192.0.2.53 --sport 1003 --dport 53"]);
        Assert.Equal(0, (await RunAsync("update -s 10.1.2.6 --label-add 5,9")).Code);
        Assert.Equal("1\n", (await RunAsync("count -l 5 -l 9")).Output);
        Assert.Equal(0, (await RunAsync("update -l 5 --label-del 5")).Code);
        Assert.Equal(("0\n", "1\n"), ((await RunAsync("count -l 5")).Output, (await RunAsync("count -l 9")).Output));
        Assert.Equal(0, (await RunAsync("update -l 9 --label-del all --label-add 3")).Code);
        Assert.Equal(("0\n", "1\n"), ((await RunAsync("count -l 9")).Output, (await RunAsync("count -l 3")).Output));
    }

    [Fact]
    public async Task What_was_saved_can_be_deleted_and_loaded_again()
    {
        Assert.Equal(0, (await RunAsync("update --all --set-mark 0")).Code); // conntrack's form has no marks
        string[] before = Lines(_space.Inside("conntrack", "-L"));
        string saved = (await RunAsync("list -o save")).Output;
        Assert.Equal(before.Length, Lines((await RunAsync("delete --all -o save")).Output).Count(
            static line => line.StartsWith("-D ", StringComparison.Ordinal)));
        Assert.Equal(0, _space.Count());
        (int code, _, string error) = await RunAsync("load-file -", saved);
        Assert.Equal((0, ""), (code, error));
        Assert.Equal(before, Lines(_space.Inside("conntrack", "-L")));
    }

    [Fact]
    public async Task A_command_of_a_file_that_fails_is_named_with_what_was_done_before_it()
    {
        const string New = "-I -p udp -s 10.1.2.6 -d 192.0.2.53 --sport 1003 --dport 53 -t 30\n";
        Assert.Equal(
            (1, "", "conntrack-stream: load-file: standard input:4: there is such a flow; to change it: conntrack-stream update; "
                + "the commands before it (2) have been done\n"),
            await RunAsync("load-file -", $"{New}# a comment\n{New.Replace("1003", "1004", StringComparison.Ordinal)}{New}"));
        Assert.Equal(Entries.Length + 2, _space.Count());
    }

    [Fact]
    public async Task Insert_makes_an_entry_and_flush_removes_all()
    {
        (int code, _, string error) = await RunAsync("insert -p udp -s 10.1.2.6 -d 192.0.2.53 --sport 1003 --dport 53 -t 30 -m 9");
        Assert.Equal((0, "conntrack-stream: 1 flow entries have been created.\n"), (code, error));
        Assert.Equal("1\n", (await RunAsync("count -s 10.1.2.6 -m 9")).Output);
        Assert.Equal(
            (1, "", "conntrack-stream: insert: there is such a flow; to change it: conntrack-stream update\n"),
            await RunAsync("insert -p udp -s 10.1.2.6 -d 192.0.2.53 --sport 1003 --dport 53 -t 30"));
        Assert.Equal((0, "", "conntrack-stream: 1 flow entries would be deleted.\n"), await RunAsync("flush -f ipv6 --dry-run"));
        Assert.Equal((0, "", "conntrack-stream: the connection table has been emptied of ipv6.\n"), await RunAsync("flush -f ipv6"));
        Assert.Equal(6, _space.Count());
        Assert.Equal(0, (await RunAsync("flush")).Code);
        Assert.Equal(0, _space.Count());
    }

    [Fact]
    public async Task Expectations_are_shown_counted_and_flushed()
    {
        Assert.Equal((0, "", "conntrack-stream: 0 expectations have been shown.\n"), await RunAsync("expect -o xml"));
        Assert.Equal((0, "0\n", ""), await RunAsync("expect --count"));
        Assert.Equal((0, "", "conntrack-stream: the expectation table has been emptied.\n"), await RunAsync("expect --flush"));
    }

    [Theory]
    [InlineData("update -p udp -f ipv4 --set-mark 9", "2 flow entries have been updated")]
    [InlineData("delete -p udp -f ipv4", "2 flow entries have been deleted")]
    public async Task Where_the_output_ends_it_says_how_far_it_came(string arguments, string done)
    {
        using FullDisk output = new();
        Assert.Equal(
            (1, "", $"conntrack-stream: {done}, the others were left as they are: No space left on device\n"),
            await RunAsync(arguments, output, ""));
        Assert.Equal((1, "", "conntrack-stream: No space left on device\n"), await RunAsync("delete --dry-run --all", output, ""));
    }

    [Fact]
    public async Task An_empty_name_of_a_namespace_is_not_this_one()
    {
        (int code, string output, string error) = await RunAsync("delete --all --netns ");
        Assert.Equal((2, ""), (code, output));
        Assert.StartsWith("conntrack-stream: --netns: is empty\n", error, StringComparison.Ordinal);
    }

    private async Task<(int Code, string Output, string Error)> RunAsync(string arguments, string input = "")
    {
        using MemoryStream output = new();
        return await RunAsync(arguments, output, input);
    }

    private async Task<(int Code, string Output, string Error)> RunAsync(string arguments, MemoryStream output, string input)
    {
        StringWriter error = new();
        CliContext context = new()
        {
            Output = output,
            Error = error,
            OpenInput = () => new MemoryStream(Encoding.UTF8.GetBytes(input)),
        };
        int code = await new CommandLine(context).RunAsync(
            [.. arguments.Split(' '), .. arguments.Contains("--netns", StringComparison.Ordinal) ? [] : (string[])["--netns", _space.Name]],
            TestContext.Current.CancellationToken);
        return (code, Encoding.UTF8.GetString(output.ToArray()), error.ToString());
    }

    private sealed class FullDisk : MemoryStream
    {
        public override void Write(byte[] buffer, int offset, int count) => throw new IOException("No space left on device");
    }

    /// <summary>In order, without the seconds left, which may differ by one, and the references: a GET holds one.</summary>
    private static string[] Lines(string text) =>
    [
        .. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => Changing().Replace(line, "T"))
            .Order(StringComparer.Ordinal),
    ];

    [GeneratedRegex(
        @"(?<=^\w+ +\d+ )\d+(?= )|(?<=^ipv\d +\d+ \w+ +\d+ )\d+(?= )|(?<=<timeout>)\d+|(?<=^-[AD] -t )\d+|(?<=use=)\d+",
        RegexOptions.None,
        1000)]
    private static partial Regex Changing();

    [GeneratedRegex(@"mark=\d+", RegexOptions.None, 1000)]
    private static partial Regex Mark();
}
