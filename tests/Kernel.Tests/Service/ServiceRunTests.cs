using System.Globalization;
using System.Text.Json;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Service.Hosting;

namespace ConntrackStream.Kernel.Tests.Service;

/// <summary>The whole service as a process.</summary>
[Trait(ServiceProcess.Builds, ServiceProcess.Both)]
public sealed class ServiceRunTests : IDisposable
{
    private readonly KernelNamespace _space = new(track: false);
    private readonly string _directory = Directory.CreateTempSubdirectory("cs-service-").FullName;

    public void Dispose()
    {
        _space.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task Follows_answers_drains_and_puts_everything_back()
    {
        using ServiceProcess service = await ServiceProcess.StartAsync(_space.Name, _directory);
        Assert.Equal("1", Sysctl("nf_conntrack_acct"));
        Assert.Equal("1", Sysctl("nf_conntrack_timestamp"));
        _space.Exec("bash", "-c", "echo x > /dev/udp/127.0.0.1/5001");
        string record = await service.WaitForRecordAsync("\"dport\":5001");
        Assert.Contains("\"event\":\"start\"", record, StringComparison.Ordinal);

        (int code, string output, string error) =
            await ServiceProcess.RunAsync("list", "--live", "--socket", $"{_directory}/api.sock", "--dport", "5001", "-o", "json");
        Assert.Equal((0, "conntrack-stream: 1 flow entries have been shown.\n"), (code, error));
        Assert.Equal(FlowId(record), FlowId(output));
        Assert.Equal("1\n", (await ServiceProcess.RunAsync("count", "--live", "--socket", $"{_directory}/api.sock")).Output);

        (code, _, error) = await ServiceProcess.RunAsync("run", "--netns", _space.Name, "--set", $"State:Directory={_directory}/state");
        Assert.Equal(1, code);
        Assert.Contains("another conntrack-stream serves this network namespace already", error, StringComparison.Ordinal);

        service.Signal("TERM");
        await service.WaitForLogAsync(" 4003 Done: ");
        Assert.Equal(0, await service.WaitForExitAsync());
        Assert.Equal("0", Sysctl("nf_conntrack_acct"));
        Assert.Equal("0", Sysctl("nf_conntrack_timestamp"));
        Assert.Empty(_space.Exec("nft", "list", "tables"));
        Assert.False(Path.Exists($"{_directory}/api.sock"));
    }

    [Fact]
    public async Task List_live_has_what_the_kernel_has_now()
    {
        using ServiceProcess service = await ServiceProcess.StartAsync(_space.Name, _directory);
        _space.Exec("conntrack", ["-I", .. Tcp, "--state", "SYN_SENT", "-t", "100", "-u", "SEEN_REPLY"]);
        string record = await service.WaitForRecordAsync("\"dport\":5002");
        _space.Exec("conntrack", ["-U", .. Tcp, "--state", "ESTABLISHED", "-t", "5000", "-u", "ASSURED", "-m", "7"]);

        string listed = (await ListAsync()).Output;
        Assert.Equal(WithoutTimes(_space.Exec("conntrack", "-L", "-p", "tcp")), WithoutTimes(listed));
        Assert.Contains(" ESTABLISHED ", listed, StringComparison.Ordinal);
        // not 100, as at its birth
        Assert.InRange(int.Parse(listed.Split(' ', StringSplitOptions.RemoveEmptyEntries)[2], CultureInfo.InvariantCulture), 121, 5000);
        Assert.Contains(" id=", (await ListAsync("-o", "id,ktimestamp")).Output, StringComparison.Ordinal);
        Assert.Contains("[start=", (await ListAsync("-o", "id,ktimestamp")).Output, StringComparison.Ordinal);
        Assert.Equal(FlowId(record), FlowId((await ListAsync("--state", "ESTABLISHED", "-u", "ASSURED", "-m", "7", "-o", "json")).Output));
        Assert.Empty((await ListAsync("--state", "SYN_SENT")).Output);

        _space.Exec("conntrack", ["-D", .. Tcp]);
        Assert.Empty((await ListAsync()).Output);

        Task<(int Code, string Output, string Error)> ListAsync(params string[] more) =>
            ServiceProcess.RunAsync(["list", "--live", "--socket", $"{_directory}/api.sock", "-p", "tcp", .. more]);
    }

    private static readonly string[] Tcp = ["-p", "tcp", "-s", "10.9.0.1", "-d", "10.9.0.2", "--sport", "5001", "--dport", "5002"];

    /// <summary>Lines as conntrack prints them, without the seconds left.</summary>
    private static string WithoutTimes(string line)
    {
        string[] words = line.Trim().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return string.Join(' ', words.Where(static (word, at) => at != 2 && !word.StartsWith("delta-time=", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_flow_keeps_its_id_over_a_restart()
    {
        string first;
        using (ServiceProcess service = await ServiceProcess.StartAsync(_space.Name, _directory))
        {
            _space.Exec("bash", "-c", "echo x > /dev/udp/127.0.0.1/5001");
            first = await service.WaitForRecordAsync("\"dport\":5001");
            service.Signal("INT");
            Assert.Equal(0, await service.WaitForExitAsync());
        }

        using ServiceProcess next = await ServiceProcess.StartAsync(_space.Name, _directory);
        Assert.Contains("\"reason\":\"restart\"", await next.WaitForRecordAsync("\"event\":\"gap\""), StringComparison.Ordinal);
        string again = await next.WaitForRecordAsync("\"dport\":5001");
        Assert.Contains("\"origin\":\"dump\"", again, StringComparison.Ordinal);
        Assert.Equal(FlowId(first), FlowId(again));
    }

    [Fact]
    public async Task After_kill_9_the_next_run_restores_the_originals()
    {
        using (ServiceProcess service = await ServiceProcess.StartAsync(_space.Name, _directory))
        {
            service.Signal("KILL");
            await service.WaitForExitAsync();
        }

        Assert.Equal("1", Sysctl("nf_conntrack_acct"));
        using ServiceProcess next = await ServiceProcess.StartAsync(_space.Name, _directory);
        next.Signal("TERM");
        Assert.Equal(0, await next.WaitForExitAsync());
        Assert.Equal("0", Sysctl("nf_conntrack_acct"));
    }

    [Fact]
    public async Task Hangup_reopens_the_flow_log()
    {
        string log = $"{_directory}/flows.json";
        using ServiceProcess service = await ServiceProcess.StartAsync(_space.Name, _directory, "--set", $"FlowLog:Path={log}");
        File.Move(log, log + ".1");
        service.Signal("HUP");
        await service.WaitForLogAsync(" 4004 Reloaded");
        Assert.True(File.Exists(log));
        service.Signal("TERM");
        Assert.Equal(0, await service.WaitForExitAsync());
    }

    [Fact]
    public async Task Hangup_names_what_needs_a_restart_and_the_configuration_that_cannot_be_read()
    {
        string file = $"{_directory}/settings.json";
        await File.WriteAllTextAsync(file, """{ "Audit": { "Interval": "5m" } }""", TestContext.Current.CancellationToken);
        using ServiceProcess service = await ServiceProcess.StartAsync(_space.Name, _directory, "--config", file);
        await File.WriteAllTextAsync(
            file, """{ "Audit": { "Interval": "7m" }, "FlowLog": { "Host": "secret" } }""", TestContext.Current.CancellationToken);
        service.Signal("HUP");
        await service.WaitForLogAsync(" 4007 Changed in the configuration, but taken by a restart only: Audit:Interval, FlowLog:Host");
        await File.WriteAllTextAsync(file, "{", TestContext.Current.CancellationToken);
        service.Signal("HUP");
        await service.WaitForLogAsync($" 4005 Reload of the configuration failed; it goes on as before: {file}:1:");
        service.Signal("TERM");
        Assert.Equal(0, await service.WaitForExitAsync());
    }

    /// <summary>As nohup starts it, and a shell's background job.</summary>
    [Fact]
    public async Task Hangup_and_term_are_heeded_although_it_was_started_with_them_ignored()
    {
        using ServiceProcess service = await ServiceProcess.StartWithAsync("--ignore-signal=HUP,TERM,INT,QUIT", _space.Name, _directory);
        const ulong Hup = 1UL << 0, Int = 1UL << 1, Quit = 1UL << 2, Term = 1UL << 14;
        Assert.Equal(Int | Quit, service.IgnoredSignals & (Hup | Int | Quit | Term));
        service.Signal("HUP");
        await service.WaitForLogAsync(" 4004 Reloaded");
        service.Signal("TERM");
        Assert.Equal(0, await service.WaitForExitAsync());
    }

    [Fact]
    public async Task Without_the_permission_it_ends_with_3_and_names_the_capability()
    {
        (int code, _, string error) = await ServiceProcess.RunUnprivilegedAsync("run", "--set", $"State:Directory={_directory}/x");
        Assert.Equal(3, code);
        Assert.Contains("CAP_NET_ADMIN", error, StringComparison.Ordinal);
        Assert.False(Path.Exists($"{_directory}/x"));
    }

    [Fact]
    public async Task Doctor_fails_when_nothing_is_tracked_and_says_what_to_do()
    {
        string[] arguments =
            ["doctor", "--netns", _space.Name, "--set", $"State:Directory={_directory}", "--set", $"Api:Socket={_directory}/api.sock"];
        (int code, string output, _) = await ServiceProcess.RunAsync(arguments);
        Assert.Equal(1, code);
        Assert.Contains("fail  tracking: nothing in this namespace uses conntrack", output, StringComparison.Ordinal);
        (code, output, _) = await ServiceProcess.RunAsync([.. arguments, "--set", "Tap:Track=true"]);
        Assert.Equal(0, code);
        Assert.DoesNotContain("fail  ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Watch_ends_quietly_when_its_reader_leaves()
    {
        // The second event hits the closed pipe.
        string command = $"{ServiceProcess.Program} watch | head -1";
        using System.Diagnostics.Process process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(
            "ip", ["netns", "exec", _space.Name, "bash", "-c",
            $"set -o pipefail; nft 'add table inet t; add chain inet t c {{ type filter hook output priority 0; }}; "
            + "add rule inet t c ct state new accept'; "
            + $"(while echo x > /dev/udp/127.0.0.1/$((++i + 5000)); do read -t 0.2 <> <(:); done) & traffic=$!; {command}; code=$?; "
            + "kill $traffic; exit $code"])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        (int code, string output, _) = await Task.Run(() => ToolRun.Finish(process), TestContext.Current.CancellationToken);
        Assert.Equal(0, code);
        Assert.Contains("[NEW] udp", output, StringComparison.Ordinal);
    }

    private string? Sysctl(string name)
    {
        using NetworkNamespace opened = NetworkNamespace.OpenName(_space.Name);
        return SysctlGuard.TryRead(opened, name);
    }

    private static string FlowId(string record)
    {
        using JsonDocument document = JsonDocument.Parse(record);
        return document.RootElement.GetProperty("flow_id").GetString()!;
    }
}
