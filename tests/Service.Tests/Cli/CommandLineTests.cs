using System.Collections;
using System.Text;
using ConntrackStream.Service.Cli;
using ConntrackStream.Sinks.MapCleaning;

namespace ConntrackStream.Service.Tests.Cli;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("lsit", "'lsit'")]
    [InlineData("list -p tpc", "--proto: 'tpc' is not a protocol; allowed are tcp, udp")]
    [InlineData("list -p", "'-p'")]
    [InlineData("list -s 10.0.0.256", "--src: '10.0.0.256' is not an IPv4 or IPv6 address or prefix")]
    [InlineData("list -d 10.0.0.0/33", "--dst: '10.0.0.0/33': the prefix length must be 0 to 32")]
    [InlineData("list --dport 80,http", "--dport: 'http' is neither a port nor a range of ports such as 8000-8100")]
    [InlineData("list --orig-port-dst x", "--dport: 'x' is neither a port nor a range")]
    [InlineData("list -n 10.0.0.1:x", "--src-nat: 'x' is neither a port nor a range")]
    [InlineData("list -j -n", "--any-nat: means src-nat or dst-nat, so it does not go with either")]
    [InlineData("list --mask-src 255.0.0.0", "--mask-src: needs src, whose bits it chooses")]
    [InlineData("list -s 10.0.0.0/8 --mask-src 255.0.0.0", "--mask-src: src has a mask of its own")]
    [InlineData("list -s ::1 --mask-src 255.0.0.0", "--mask-src: is of another family than src")]
    [InlineData("list -s 10.0.0.1 --mask-src 24", "--mask-src: '24' is not a mask, written as an address")]
    [InlineData("list --srckey 1 -p tcp", "--srckey, dstkey: only GRE has keys; say proto gre or nothing")]
    [InlineData("list --icmp-type 256", "--icmp-type: '256' is not a number from 0 to 255")]
    [InlineData("list -i x", "--id: 'x' is not a number of 32 bits")]
    [InlineData("list -l 128", "--label: '128' is neither a label of /etc/xtables/connlabel.conf nor a bit from 0 to 127")]
    [InlineData("list -c 5", "--secmark: '5' is not a security context")]
    [InlineData("list --role both", "--role: 'both' is not a DCCP role; allowed are client, server")]
    [InlineData("list --filter mark", "--filter: 'mark' has no value: MARK")]
    [InlineData("record x.pcap --mark 1", "'--mark'")]
    [InlineData("list -o xml,save", "--output: xml and save exclude each other")]
    [InlineData("list --live -o save", "--live: asks the running service; --table, --zero and the outputs xml and save")]
    [InlineData("list -z -p tcp", "--zero: the kernel would also zero the entries that --proto leaves out")]
    [InlineData("list -z --table dying", "--zero: only the connection table has its counters set to zero")]
    [InlineData("list --table live", "--table: 'live' is not a table: conntrack, dying or unconfirmed")]
    [InlineData("get -p tcp -s 10.0.0.1", "get: needs one protocol, one source and one destination address: -p, -s, -d")]
    [InlineData("get -p tcp -s 10.0.0.1 -d 10.0.0.0/8", "get: needs one protocol")]
    [InlineData("get -p tcp -s 10.0.0.1 -d 10.0.0.2", "get: a flow of tcp has one port at each end: --sport, --dport")]
    [InlineData("get -p icmp -s 10.0.0.1 -d 10.0.0.2", "get: a flow of ICMP has one type, code and id")]
    [InlineData("get -p gre -s 10.0.0.1 -d 10.0.0.2 --srckey 1", "get: a flow of GRE has one key at each end")]
    [InlineData("update -p tcp", "update: change what? Write --set-mark")]
    [InlineData("update --set-mark 1", "update: without a filter every flow would be changed; say which")]
    [InlineData("update --all --set-mark 1/x", "--set-mark: '1/x' is not a mark")]
    [InlineData("update --all --set-status DYING", "--set-status: 'DYING': only ASSURED, SEEN_REPLY and FIXED_TIMEOUT can be set")]
    [InlineData("update --all --set-status !ASSURED", "--set-status: '!ASSURED': only ASSURED")]
    [InlineData("update --all --set-timeout soon", "--set-timeout: 'soon' is not a number of seconds")]
    [InlineData("update --all --label-add 128", "--label-add: '128' is neither a label")]
    [InlineData("update --all --set-mark 5/1", "--set-mark: '5/1' would set bits that its mask leaves alone\n")]
    [InlineData("update --all --set-mark 1-2", "--set-mark: '1-2' is not a mark to set: VALUE or VALUE/MASK")]
    [InlineData("update --all --set-mark 1/2/3", "--set-mark: '1/2/3' is not a mark to set")]
    [InlineData("update --all --set-status GONE", "--set-status: 'GONE': only ASSURED")]
    [InlineData("update --all --set-status UNSET", "--set-status: 'UNSET': only ASSURED")]
    [InlineData("update --all --set-timeout 0", "--set-timeout: 0 would end the flows at once; to delete them: conntrack-stream delete")]
    [InlineData("insert -p tcp", "conntrack-stream: insert: You need to supply the `--timeout' option for this command\n")]
    [InlineData("insert --no-such", "insert: unknown option `--no-such'\nTry: conntrack-stream insert --help\n")]
    [InlineData("load-file /none", "load-file: Failed to open file /none for reading\nTry: conntrack-stream load-file --help\n")]
    [InlineData("list --filter any-nat", "--filter: 'any-nat' has no value: ADDR[:PORT], or any for whatever it is")]
    [InlineData("flush -f ipx", "--family: 'ipx' is not a family: ipv4 or ipv6")]
    [InlineData("expect -o json", "--output: 'json' is not a type of output; allowed are text, xml, timestamp")]
    [InlineData("expect --count --flush", "expect: --count and --flush exclude each other")]
    [InlineData("load-file", "load-file")]
    [InlineData("list -m 1/x", "--mark: '1/x' is not a mark")]
    [InlineData("list --state LISTENING", "--state: 'LISTENING' is not a state of TCP, SCTP or DCCP; allowed are NONE, SYN_SENT")]
    [InlineData("list -u GONE", "--status: 'GONE' is not a status; allowed are ASSURED")]
    [InlineData("list -f ipx", "--family: 'ipx' is not a family; allowed are ipv4, ipv6")]
    [InlineData("list -w 65536", "--zone: '65536' is not a zone")]
    [InlineData("list -o yaml", "--output: 'yaml' is not a type of output; allowed are text, json, xml, save, extended")]
    [InlineData("list -o text,json", "--output: text and json exclude each other")]
    [InlineData("watch -e NEW,GONE", "--event-mask: 'GONE' is not an event; allowed are NEW, UPDATE, DESTROY, ALL")]
    [InlineData("watch -c 0", "--count: '0' is not a number from 1 on")]
    [InlineData("watch -c many", "--count: 'many' is not a number from 1 on")]
    [InlineData("delete", "delete: without a filter every flow would go; say which (-p, -s, -d, …), or --all")]
    [InlineData("replay", "replay")]
    [InlineData("list --state CLOSE --state NONE", "--state: given 2 times; it takes one value")]
    [InlineData("delete -u ASSURED -u SEEN_REPLY", "--status: given 2 times")]
    [InlineData("classify --netns a --netns b", "--netns: given 2 times")]
    [InlineData("version --set Audit:Interval=5m", "--set: version reads no configuration")]
    [InlineData("watch --config /nonexistent", "--config: watch reads no configuration")]
    [InlineData("delete --all --set Audit:Interval=5m", "--set: delete reads no configuration")]
    [InlineData("list --set Audit:Interval=5m", "--set: list reads no configuration, except for --live")]
    [InlineData("list --socket /run/x", "--socket: only --live asks the running service")]
    [InlineData("list --live --netns blue", "--netns: --live asks a running service, which follows its own namespace")]
    [InlineData("count --live --netns blue", "--netns: --live asks a running service")]
    [InlineData("stats --live --netns blue", "--netns: --live asks a running service")]
    [InlineData("--set Audit:Interval=5m", "Required command was not provided.")]
    [InlineData("map", "Required command was not provided.")]
    [InlineData("lsit -p tcp", "'lsit': there is no such verb; did you mean list?")]
    [InlineData("everything", "'everything': there is no such verb")]
    [InlineData("map sow", "'sow': there is no such verb; did you mean show?")]
    [InlineData("--sett Audit:Interval=5m", "'--sett': there is no such option; did you mean --set?")]
    [InlineData("-L -p tcp", "'-L': there is no such option; conntrack's own options stand behind its name: conntrack-stream conntrack -L")]
    [InlineData("list --sport 1 --dprot 2", "'--dprot': list has no such option; did you mean --dport?")]
    [InlineData("who 10.0.0.1 --at now --no-indx", "'--no-indx': who has no such option; did you mean --no-index?")]
    [InlineData("who 10.0.0.1 --at now x.ndjson --foo", "'--foo': who has no such option")]
    [InlineData("verify-log --jsno x.ndjson", "'--jsno': verify-log has no such option")]
    [InlineData("replay --fsat", "'--fsat': replay has no such option; did you mean --fast?")]
    [InlineData("list --unheard", "'--unheard': list has no such option")]
    [InlineData("list tcp", "'tcp': list takes no such argument")]
    [InlineData("map show -o xml", "--output: 'xml' is not a type of output; allowed are text, json")]
    [InlineData("map show --zone 1", "'--zone'")]
    [InlineData("map audit --interval 10", "--interval: '10' is not a duration (10s, 1m, 00:02:30)")]
    [InlineData("map audit --interval 2d", "--interval: '2d' is not a duration (10s, 1m, 00:02:30) of at most one day")]
    [InlineData("tombstones --limit 65537", "--limit: '65537' is not a number from 0 to 65536")]
    [InlineData("tombstones --limit many", "--limit: 'many' is not a number")]
    [InlineData("rates --interval 50ms", "--interval: '50ms' is not a duration from 100ms to 1h")]
    [InlineData("replay ", "FILE: is empty")]
    [InlineData("who 10.0.0.1 --at now --evidence ", "--evidence: is empty")]
    [InlineData("doctor --config ", "--config: is empty")]
    [InlineData("delete --all --netns ", "--netns: is empty")]
    [InlineData("rates --interval 1", "--interval: '1' is not a duration from 100ms to 1h")]
    [InlineData("rates --top 101", "--top: '101' is not a number from 0 to 100")]
    [InlineData("summary --interval 50ms", "--interval: '50ms' is not a duration from 100ms to 1m")]
    [InlineData("summary --top 101", "--top: '101' is not a number from 0 to 100")]
    [InlineData("summary --live --netns blue", "--netns: --live asks a running service")]
    [InlineData("stale -o xml", "--output: 'xml' is not a type of output; allowed are text, json")]
    [InlineData("record x.pcap --max-bytes 1kB", "--max-bytes: '1kB' is not a size from 64 KiB up (1GB, 512MiB)")]
    [InlineData("record x.pcap --for 8d", "--for: '8d' is not a duration of up to 7d (10s, 5m)")]
    [InlineData("record", "record")]
    [InlineData("collect --directory . --create-stream --max-bytes 100", "--max-bytes: '100' is not a size from 1 MiB up (100GiB)")]
    [InlineData("npa-log - --follow --flow-log x", "--follow: the flow log judges deletes once the agent's log is at its end")]
    [InlineData("rates --count 0", "--count: '0' is not a number from 1 up")]
    [InlineData("top --sort size", "--sort: 'size' is not one of rate, packets, bytes, age")]
    [InlineData("top --interval 100ms", "--interval: '100ms' is not a duration from 500ms to 1m")]
    public async Task Wrong_usage_ends_with_2_and_says_what_is_allowed(string arguments, string message)
    {
        (int code, string output, string error) = await RunAsync(arguments.Split(' '));
        Assert.Equal(2, code);
        Assert.Empty(output);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.Contains("Try: conntrack-stream", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("list --status a --status b", "--status")]
    [InlineData("list --state CLOSE --state NONE", "--state")]
    [InlineData("classify --netns a --netns b", "--netns")]
    [InlineData("update --all --set-mark 1 --set-mark 1/x", "--set-mark")]
    [InlineData("list -j 1.1.1.1 -j 2.2.2.2", "--any-nat")]
    [InlineData("rates --interval 1s --interval 2s", "--interval")]
    public async Task What_is_given_too_often_is_said_once(string arguments, string option)
    {
        (int code, _, string error) = await RunAsync(arguments.Split(' '));
        Assert.Equal(2, code);
        string help = $"conntrack-stream {arguments.Split(' ')[0]} --help";
        Assert.Equal($"conntrack-stream: {option}: given 2 times; it takes one value\nTry: {help}\n", error);
    }

    [Fact]
    public async Task Help_of_insert_has_the_options_of_a_flow()
    {
        (_, string output, _) = await RunAsync("insert", "--help");
        Assert.Contains("\n  --timeout, -t <SECONDS> ", output, StringComparison.Ordinal);
        Assert.Contains("\n  --orig-port-src, --sport <PORT> ", output, StringComparison.Ordinal);
        Assert.Contains("\n  --orig-key-src, --srckey <KEY> ", output, StringComparison.Ordinal);
        Assert.DoesNotContain("dditional", output, StringComparison.Ordinal);
        Assert.DoesNotContain("--mask-src", output, StringComparison.Ordinal); // which -I does not take
    }

    [Fact]
    public async Task A_wrong_configuration_ends_with_2()
    {
        (int code, _, string error) = await RunAsync("run", "--set", "Audit:Interval=never");
        Assert.Equal(2, code);
        Assert.Equal(
            "conntrack-stream: configuration: Audit:Interval: \"never\" is not a duration (00:02:30, 150s, 5m, 2h) [--set]\n", error);
    }

    [Fact]
    public async Task The_hint_names_the_whole_verb()
    {
        (_, _, string error) = await RunAsync("map", "show", "-o", "xml");
        Assert.Contains("Try: conntrack-stream map show --help\n", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("map show")]
    [InlineData("map audit")]
    public async Task Without_a_map_it_ends_with_2_and_says_how_to_name_one(string verb)
    {
        Assert.SkipWhen(File.Exists(MapSettings.AgentPin), "the agent's pin is on this machine");
        (int code, _, string error) = await RunAsync(verb.Split(' '));
        Assert.Equal(2, code);
        Assert.Contains(
            $"no eBPF map is named: Map:Path is not set, and the AWS agent's pin {MapSettings.AgentPin} is not there; "
            + "name one with --map PATH or --map id:N",
            error,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_audit_interval_shorter_than_the_grace_is_refused()
    {
        (int code, _, string error) = await RunAsync("map", "audit", "--map", "id:1", "--interval", "1s");
        Assert.Equal(2, code);
        Assert.Contains("--interval: 00:00:01 is shorter than the grace (00:00:05, Map:Grace)", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_map_and_a_filter_of_the_tap_keep_run_from_starting()
    {
        (int code, _, string error) = await RunAsync("run", "--set", "Map:Path=/sys/fs/bpf/x", "--set", "Tap:Filter:Protocols=tcp");
        Assert.Equal(2, code);
        Assert.Contains(
            "Map:Path: \"/sys/fs/bpf/x\" cannot go together with Tap:Filter:Protocols \"tcp\"", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_word_it_helps()
    {
        (int code, string output, string error) = await RunAsync();
        Assert.Equal(0, code);
        Assert.Contains("Usage:", output, StringComparison.Ordinal);
        Assert.Contains("conntrack-stream demo", output, StringComparison.Ordinal);
        Assert.Empty(error);
    }

    [Fact]
    public async Task Who_reads_only_the_beginning_of_the_help_gets_no_error()
    {
        int length = (await RunAsync("list", "--help")).Output.Length;
        for (int room = 0; room < length; room += 256)
        {
            using StringWriter error = new();
            using ClosedPipe output = new(room);
            CliContext context = new() { Output = output, Error = error };
            int code = await new CommandLine(context).RunAsync(["list", "--help"], TestContext.Current.CancellationToken);
            Assert.Equal((0, ""), (code, error.ToString()));
        }
    }

    [Theory]
    [InlineData("list")]
    [InlineData("delete")]
    [InlineData("classify -p")]
    [InlineData("map show")]
    [InlineData("")]
    public async Task A_file_is_not_read_in_the_place_of_arguments(string verb)
    {
        string file = Path.Combine(Path.GetTempPath(), $"cs-response-{Guid.NewGuid():N}");
        await File.WriteAllTextAsync(file, "top-secret", TestContext.Current.CancellationToken);
        (int code, string output, string error) = await RunAsync([.. verb.Split(' ', StringSplitOptions.RemoveEmptyEntries), $"@{file}"]);
        File.Delete(file);
        Assert.Equal(2, code);
        Assert.DoesNotContain("top-secret", output + error, StringComparison.Ordinal);
        Assert.Contains($"@{file}", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_an_argument_or_a_file_says_cannot_forge_a_line()
    {
        (_, _, string error) = await RunAsync("list", "-p", "\e[2Jx\nok   kernel: fine");
        Assert.Contains("'\\x1b[2Jx\\nok   kernel: fine'", error, StringComparison.Ordinal);
        Assert.DoesNotContain('\e', error);
        Assert.Equal(2, error.Count(static character => character == '\n'));
    }

    [Fact]
    public void A_record_for_people_cannot_forge_a_line()
    {
        using MemoryStream output = new();
        new CliContext { Output = output, Error = TextWriter.Null }.Print("a\r\nok \u009b2J\u202e");
        Assert.Equal("a\\r\\nok \\x9b2J\\u202e\n", Encoding.UTF8.GetString(output.ToArray()));
    }

    [Fact]
    public async Task The_environment_is_named_as_the_source()
    {
        (int code, _, string error) = await RunAsync(new Hashtable { ["CONNTRACKSTREAM__Tap__Trak"] = "1" }, "doctor");
        Assert.Equal(2, code);
        Assert.Contains("Tap:Trak: no such key; did you mean Tap:Track? [the environment]", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_namespace_ends_with_1()
    {
        (int code, _, string error) = await RunAsync("list", "--netns", "no-such-namespace");
        Assert.Equal(1, code);
        Assert.Contains("opening network namespace 'no-such-namespace': ENOENT", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Live_without_a_service_ends_with_1_and_names_the_socket()
    {
        (int code, _, string error) = await RunAsync("count", "--live", "--socket", "/nonexistent/api.sock");
        Assert.Equal(1, code);
        Assert.Contains("no service answers on /nonexistent/api.sock: there is no such socket", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("run")]
    [InlineData("demo")]
    [InlineData("demo race")]
    [InlineData("watch")]
    [InlineData("list")]
    [InlineData("count")]
    [InlineData("stats")]
    [InlineData("delete")]
    [InlineData("get")]
    [InlineData("update")]
    [InlineData("insert")]
    [InlineData("load-file")]
    [InlineData("flush")]
    [InlineData("expect")]
    [InlineData("doctor")]
    [InlineData("replay")]
    [InlineData("version")]
    [InlineData("map")]
    [InlineData("map show")]
    [InlineData("map audit")]
    [InlineData("tombstones")]
    [InlineData("rates")]
    [InlineData("top")]
    public async Task Help_of_each_verb_teaches_by_examples(string verb)
    {
        (int code, string output, string error) = await RunAsync([.. verb.Split(' '), "--help"]);
        Assert.Equal(0, code);
        Assert.Empty(error);
        int examples = output.IndexOf("Examples:", StringComparison.Ordinal);
        Assert.True(examples > 0);
        Assert.Contains("conntrack-stream", output[examples..], StringComparison.Ordinal);
        Assert.DoesNotContain('\e', output);
    }

    [Theory]
    [InlineData("# a comment\n-I -p udp --nonsense\n", 2, "unknown option `--nonsense'; nothing has been done")]
    [InlineData("-L\n", 1, "Cannot use command `-L' with --load-file; nothing has been done")]
    public async Task A_fault_in_a_file_of_commands_has_its_line(string lines, int line, string problem)
    {
        string file = Path.Combine(Path.GetTempPath(), $"cs-load-{Guid.NewGuid():N}");
        await File.WriteAllTextAsync(file, lines, TestContext.Current.CancellationToken);
        (int code, _, string error) = await RunAsync("load-file", file);
        File.Delete(file);
        Assert.Equal(
            (2, $"conntrack-stream: load-file: {file}:{line}: {problem}\nTry: conntrack-stream load-file --help\n"), (code, error));
    }

    [Fact]
    public async Task Doctor_reports_a_missing_namespace_among_its_other_checks()
    {
        (int code, string output, string error) = await RunAsync(
            "doctor", "--set", "Tap:NetworkNamespace=cs-none", "--set", "FlowLog:Path=/proc/x/y");
        Assert.Equal((1, ""), (code, error));
        Assert.Contains("fail  network namespace: opening network namespace 'cs-none'", output, StringComparison.Ordinal);
        Assert.Contains("fail  flow log: /proc/x does not exist", output, StringComparison.Ordinal);
        Assert.DoesNotContain("ctnetlink", output, StringComparison.Ordinal); // that of another namespace
    }

    /// <summary>The description has it, in words.</summary>
    [Theory]
    [InlineData("list", "[default: Conntrack]")]
    [InlineData("summary", "[default: 5]")]
    [InlineData("collect", "[default: -1]")]
    [InlineData("collect", "[default: 00:00:00]")]
    [InlineData("top", "[default: ")]
    [InlineData("record", "[default: ")]
    public async Task Help_names_a_default_once_and_as_it_is_written(string verb, string misleading) =>
        Assert.DoesNotContain(misleading, (await RunAsync(verb, "--help")).Output, StringComparison.Ordinal);

    [Fact]
    public async Task Tombstones_without_a_service_ends_with_1_and_names_the_socket()
    {
        (int code, _, string error) = await RunAsync("tombstones", "--socket", "/nonexistent/api.sock");
        Assert.Equal(1, code);
        Assert.Contains("no service answers on /nonexistent/api.sock: there is no such socket", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("update", false)]
    [InlineData("version", false)]
    [InlineData("list", true)] // with --live
    [InlineData("map", true)]
    public async Task Help_has_the_configuration_where_it_is_read(string verb, bool isRead)
    {
        (_, string output, _) = await RunAsync(verb, "--help");
        Assert.Equal(
            (isRead, isRead),
            (output.Contains("--config ", StringComparison.Ordinal), output.Contains("--set ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task General_help_lists_verbs_and_exit_codes()
    {
        (_, string output, _) = await RunAsync("--help");
        Assert.Contains("watch", output, StringComparison.Ordinal);
        Assert.Contains("3 not permitted, 4 not supported by this kernel", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Errors_are_red_on_a_terminal_only()
    {
        StringWriter error = new();
        await new CommandLine(new CliContext { Output = new MemoryStream(), Error = error, ErrorIsTerminal = true })
            .RunAsync(["lsit"], TestContext.Current.CancellationToken);
        Assert.Contains("\e[31mconntrack-stream: ", error.ToString(), StringComparison.Ordinal);
    }

    private static Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments) => RunAsync([], arguments);

    private static async Task<(int Code, string Output, string Error)> RunAsync(Hashtable environment, params string[] arguments)
    {
        using MemoryStream output = new();
        StringWriter error = new();
        CliContext context = new() { Output = output, Error = error, Environment = environment };
        int code = await new CommandLine(context).RunAsync(arguments, TestContext.Current.CancellationToken);
        return (code, Encoding.UTF8.GetString(output.ToArray()), error.ToString());
    }
}
