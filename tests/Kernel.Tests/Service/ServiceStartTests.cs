using System.Diagnostics;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Pipeline.Files;

namespace ConntrackStream.Kernel.Tests.Service;

/// <summary>Odd places to start in, and what scripts see of it.</summary>
[Trait(ServiceProcess.Builds, ServiceProcess.Both)]
public sealed class ServiceStartTests : IDisposable
{
    private readonly KernelNamespace _space = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("cs-start-").FullName;

    public void Dispose()
    {
        _space.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Theory]
    [InlineData("FlowLog:Path={0}/none/flows.json", "does not exist")]
    [InlineData("Map:EvidencePath={0}/none/deleted.json", "does not exist")]
    [InlineData("State:Directory={0}/file/state", "file")]
    public async Task A_directory_that_the_configuration_names_in_vain_ends_it_for_good(string setting, string reason)
    {
        await File.WriteAllTextAsync($"{_directory}/file", "", TestContext.Current.CancellationToken);
        List<string> arguments =
        [
            "run", "--netns", _space.Name, "--set", string.Format(System.Globalization.CultureInfo.InvariantCulture, setting, _directory),
            "--set", $"Api:Socket={_directory}/api.sock",
        ];
        if (!setting.StartsWith("State", StringComparison.Ordinal))
            arguments.AddRange(["--set", $"State:Directory={_directory}/state"]);
        if (setting.StartsWith("Map", StringComparison.Ordinal))
            arguments.AddRange(["--set", "Map:Path=/sys/fs/bpf/cs-no-such-pin"]);
        (int code, _, string error) = await ServiceProcess.RunAsync([.. arguments]);
        Assert.Equal(2, code); // RestartPreventExitStatus
        Assert.Contains(reason, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_replay_whose_records_cannot_be_written_fails_and_says_why()
    {
        (int code, _, string error) = await ServiceProcess.RunAsAsync(
            "sh", "-c", "exec \"$0\" replay \"$1\" > /dev/full", ServiceProcess.Program, Recorded());
        Assert.Equal(1, code);
        Assert.Contains("cannot be written to standard output: ENOSPC", error, StringComparison.Ordinal);
    }

    /// <summary>As with <c>| head -1</c>, but the reader has gone before the first record.</summary>
    [Fact]
    public async Task A_replay_whose_reader_has_gone_ends_quietly()
    {
        (int code, _, string error) = await ServiceProcess.RunAsAsync(
            "sh", "-c", "mkfifo \"$2\"; exec 3<>\"$2\" 4>\"$2\" 3<&-; exec \"$0\" replay \"$1\" >&4",
            ServiceProcess.Program, Recorded(), $"{_directory}/pipe");
        Assert.Equal((0, ""), (code, error));
    }

    [Fact]
    public async Task It_is_ready_when_it_can_be_asked()
    {
        using ServiceProcess service = ServiceProcess.StartVerb(
            "run", "--netns", _space.Name, "--set", $"State:Directory={_directory}/state", "--set", $"Api:Socket={_directory}/api.sock",
            "--set", "Logging:Format=line");
        await service.WaitForLogAsync(" 4030 "); // the HTTP interface
        await service.WaitForLogAsync(" 4001 "); // ready
        service.Signal("TERM");
        Assert.Equal(0, await service.WaitForExitAsync());
    }

    /// <summary>It would be 4 MB for as long as the service runs.</summary>
    [Fact]
    public async Task OpenSSL_is_not_loaded_where_nothing_is_encrypted()
    {
        using ServiceProcess service = await ServiceProcess.StartAsync(_space.Name, _directory);
        (int code, _, _) = await ServiceProcess.RunAsync("list", "--live", "--socket", $"{_directory}/api.sock");
        Assert.Equal(0, code);
        Assert.DoesNotContain(service.MappedFiles(), static file => file.Contains("libcrypto", StringComparison.Ordinal));
    }

    /// <summary>A tmpfs without a free inode.</summary>
    [Fact]
    public async Task A_full_disk_under_the_state_directory_costs_what_is_kept_there_and_nothing_else()
    {
        string full = Directory.CreateDirectory($"{_directory}/state").FullName;
        ToolRun.Output("mount", ["-t", "tmpfs", "-o", "nr_inodes=1,mode=0700", "none", full]);
        try
        {
            StateDirectory missing = StateDirectory.Open($"{full}/deeper");
            Assert.Contains("No space left", missing.Obstacle!, StringComparison.Ordinal);
            Assert.Throws<IOException>(() => missing.Write("x", "1"u8));
            Assert.Null(missing.Read("x"));
            using ServiceProcess service = await ServiceProcess.StartAsync(_space.Name, _directory);
            Assert.Equal("1", _space.Sysctl("net.netfilter.nf_conntrack_acct"));
            _space.Exec("bash", "-c", "echo x > /dev/udp/127.0.0.1/5001");
            await service.WaitForRecordAsync("\"dport\":5001");
            service.Signal("TERM");
            Assert.Equal(0, await service.WaitForExitAsync());
            Assert.Equal("0", _space.Sysctl("net.netfilter.nf_conntrack_acct"));
        }
        finally
        {
            ToolRun.Output("umount", [full]);
        }
    }

    [Theory]
    [InlineData("<&-")]
    [InlineData(">&-")]
    [InlineData("2>&-")]
    [InlineData("<&- >&- 2>&-")]
    public void Closed_standard_descriptors_lead_nowhere(string closed)
    {
        using Process watch = ToolRun.Start("bash", ["-c", $"exec {ServiceProcess.Program} watch --netns {_space.Name} {closed}"]);
        try
        {
            string[] wanted = [.. "012".Select(number => Inherits(closed, number) ? "pipe:" : "/dev/null")];
            Eventually.True(() =>
                "012".Select((number, i) => Link(watch.Id, number).StartsWith(wanted[i], StringComparison.Ordinal))
                    .All(static right => right) && IsOurs(watch.Id));
            Assert.False(watch.HasExited);
        }
        finally
        {
            ToolRun.End(watch);
        }
    }

    /// <summary>Not as from an empty file: /dev/null is there for writing alone.</summary>
    [Theory]
    [InlineData("conntrack -R - </", 0, "")]
    [InlineData("conntrack -R - <&-", 2, "conntrack v1.4.7 (conntrack-tools): Failed to open file /dev/stdin for reading")]
    [InlineData("replay - <&-", 1, "conntrack-stream: standard input is closed, or open for writing alone: give it something to read")]
    public void Closed_standard_input_cannot_be_read(string arguments, int expected, string error)
    {
        using Process process = ToolRun.Start("bash", ["-c", $"{ServiceProcess.Program} {arguments}"]);
        (int code, _, string said) = ToolRun.Finish(process, "");
        Assert.Equal((expected, error), (code, said.Split('\n')[0]));
    }

    [Fact]
    public async Task Delete_and_labels_end_as_conntrack_s()
    {
        Requirements.Tool("conntrack");
        Assert.SkipWhen(File.Exists("/etc/xtables/connlabel.conf"), "labels have names here");
        _space.Exec("bash", "-c", "echo x > /dev/udp/127.0.0.1/5001");
        foreach ((string[] theirs, string[] ours) in (List<(string[], string[])>)[
            (["-D", "-s", "192.0.2.9"], ["delete", "-s", "192.0.2.9"]),
            (["-L", "-o", "labels"], ["list", "-o", "labels"]),
        ])
        {
            (int Code, string Output, string Error) expected =
                await ServiceProcess.RunAsAsync("ip", ["netns", "exec", _space.Name, "conntrack", .. theirs]);
            (int Code, string Output, string Error) actual = await ServiceProcess.RunAsync([.. ours, "--netns", _space.Name]);
            Assert.Equal((expected.Code, WithoutTimeout(expected.Output)), (actual.Code, WithoutTimeout(actual.Output)));
        }

        string labels = (await ServiceProcess.RunAsync("list", "-o", "labels", "--netns", _space.Name)).Error;
        Assert.Contains("labels have no names and are left out", labels, StringComparison.Ordinal);
        Assert.Equal(1, (await ServiceProcess.RunAsync("delete", "-s", "192.0.2.9", "--dry-run", "--netns", _space.Name)).Code);
        Assert.Equal(0, (await ServiceProcess.RunAsync("delete", "--dport", "5001", "--netns", _space.Name)).Code);
    }

    private static bool Inherits(string closed, char number) => number switch
    {
        '0' => !closed.Contains("<&-", StringComparison.Ordinal),
        '1' => !closed.Split(' ').Contains(">&-", StringComparer.Ordinal),
        _ => !closed.Contains("2>&-", StringComparison.Ordinal),
    };

    private static string Link(int process, char number) => new FileInfo($"/proc/{process}/fd/{number}").LinkTarget ?? "";

    /// <summary>Not bash any more, and past its second beginning: it reads events, under its own name.</summary>
    private static bool IsOurs(int process) =>
        File.ReadAllText($"/proc/{process}/comm").StartsWith("conntrack-strea", StringComparison.Ordinal)
        && ThreadStates.NamesOf(process).Contains("conntrack-tap", StringComparer.Ordinal);

    private static string WithoutTimeout(string line) =>
        string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(static (_, i) => i != 2));

    private string Recorded()
    {
        string path = $"{_directory}/recorded";
        File.WriteAllText(
            path,
            "    [NEW] udp      17 30 src=10.0.0.1 dst=192.0.2.1 sport=1 dport=53 [UNREPLIED] src=192.0.2.1 dst=10.0.0.1 sport=53 "
                + "dport=1\n");
        return path;
    }
}
