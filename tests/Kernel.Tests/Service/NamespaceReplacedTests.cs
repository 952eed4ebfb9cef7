using System.Text.Json;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Service.Hosting;

namespace ConntrackStream.Kernel.Tests.Service;

/// <summary>The followed name comes to lead to another namespace.</summary>
public sealed class NamespaceReplacedTests : IDisposable
{
    private readonly string _name = $"cs-again-{Environment.ProcessId}";
    private readonly string _directory = Directory.CreateTempSubdirectory("cs-again-").FullName;

    public NamespaceReplacedTests()
    {
        Requirements.Root();
        Requirements.Tool("nft");
        Add();
    }

    public void Dispose()
    {
        Delete();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task The_old_one_is_let_go_and_the_new_one_followed_with_all_that_belongs_to_it()
    {
        using KernelNamespace neighbour = new(track: false);
        ToolRun.Output("ip", ["-n", neighbour.Name, "link", "add", "peer", "type", "veth", "peer", "name", "inside", "netns", _name]);
        using ServiceProcess service = await ServiceProcess.StartAsync(
            _name, _directory, "--set", "Reclassify:Enabled=true", "--set", "Reclassify:Mode=act", "--set", "Reclassify:Paths=up mark=1",
            "--set", "Reclassify:Sets=ipset:none=up");
        Send(5001);
        string first = await service.WaitForRecordAsync("\"dport\":5001");

        Delete();
        await service.WaitForLogAsync($" 4050 Lost network namespace '{_name}' (/run/netns/{_name} does not exist)");
        Eventually.True(
            () => !neighbour.Exec("ip", "-o", "link").Contains("peer", StringComparison.Ordinal),
            waitedFor: "the kernel removes the old namespace with its links");
        JsonElement status = await StatusAsync();
        Assert.False(status.GetProperty("synced").GetBoolean());
        Assert.Equal($"/run/netns/{_name} does not exist", status.GetProperty("kernel").GetProperty("namespace_problem").GetString());

        Add();
        await service.WaitForLogAsync(" 4052 ");
        string end = await service.WaitForRecordAsync("\"event\":\"end\"");
        Assert.Contains("\"dport\":5001", end, StringComparison.Ordinal);
        Assert.Equal(Text(first, "flow_id"), Text(end, "flow_id"));
        string gap = await service.WaitForRecordAsync("\"event\":\"gap\"");
        Assert.Equal("namespace_replaced", Text(gap, "reason"));
        Assert.True(
            string.CompareOrdinal(Text(first, "time"), Text(gap, "to")) < 0
            && string.CompareOrdinal(Text(gap, "from"), Text(gap, "to")) < 0);

        Send(5002);
        await service.WaitForRecordAsync("\"dport\":5002");
        (int code, string output, _) = await ServiceProcess.RunAsync("list", "--live", "--socket", $"{_directory}/api.sock");
        Assert.Equal(0, code);
        Assert.Contains("dport=5002", output, StringComparison.Ordinal);
        Assert.Equal("1", Sysctl("nf_conntrack_acct"));
        Assert.Equal(["table inet conntrack_stream", "table inet conntrack_stream_reset"], Tables());
        status = await StatusAsync();
        Assert.True(status.GetProperty("synced").GetBoolean());
        Assert.Equal(1, status.GetProperty("kernel").GetProperty("namespaces_replaced").GetInt32());

        service.Signal("TERM");
        Assert.Equal(0, await service.WaitForExitAsync());
        Assert.Equal("0", Sysctl("nf_conntrack_acct"));
        Assert.Empty(Tables());
    }

    /// <summary>Between two looks, so that the name never seems to be gone; the old one lives on, and gets its settings back.</summary>
    [Fact]
    public async Task One_that_takes_the_name_at_once_is_followed_and_the_old_one_put_back()
    {
        using NetworkNamespace old = NetworkNamespace.OpenName(_name);
        using ServiceProcess service = await ServiceProcess.StartAsync(_name, _directory);
        Assert.Equal("1", SysctlGuard.TryRead(old, "nf_conntrack_acct"));
        string spare = _name + "-new";
        ToolRun.Output("ip", ["netns", "add", spare]);
        ToolRun.Output("ip", ["-n", spare, "link", "set", "lo", "up"]);
        ToolRun.Output("mount", ["--bind", $"/run/netns/{spare}", $"/run/netns/{_name}"]);
        try
        {
            await service.WaitForLogAsync(" 4051 ");
            await service.WaitForLogAsync(" 4052 ");
            Assert.Equal("0", SysctlGuard.TryRead(old, "nf_conntrack_acct"));
            Assert.Equal("namespace_replaced", Text(await service.WaitForRecordAsync("\"event\":\"gap\""), "reason"));
            Send(5003);
            await service.WaitForRecordAsync("\"dport\":5003");
        }
        finally
        {
            ToolRun.Output("umount", ["--lazy", $"/run/netns/{_name}"]);
            ToolRun.Output("ip", ["netns", "del", spare]);
        }
    }

    /// <summary>
    /// As a container's first process is named by /proc/PID/ns/net: here a thread, which can leave its namespace for another.
    /// </summary>
    [Fact]
    public void A_path_under_proc_is_compared_too()
    {
        using SemaphoreSlim go = new(0), done = new(0);
        string path = "";
        Thread thread = new(() =>
        {
            path = $"/proc/{Environment.ProcessId}/task/{Path.GetFileName(new FileInfo("/proc/thread-self").LinkTarget)}/ns/net";
            for (int i = 0; i < 2; i++)
            {
                Assert.Equal(0, KitLibc.unshare(KitLibc.CLONE_NEWNET));
                done.Release();
                go.Wait(TestContext.Current.CancellationToken);
            }
        });
        thread.UnsafeStart();
        done.Wait(TestContext.Current.CancellationToken);
        using NetworkNamespace followed = NetworkNamespace.OpenPath(path);
        ulong first = NamespaceIdentity.Of(followed).Cookie;
        Assert.Equal(NamespaceSight.Same, followed.Look(out _));
        go.Release();
        done.Wait(TestContext.Current.CancellationToken);
        Assert.Equal(NamespaceSight.Replaced, followed.Look(out _));
        Assert.Equal(first, NamespaceIdentity.Of(followed).Cookie); // until told
        int generation = followed.Generation;
        followed.Reopen();
        Assert.NotEqual(first, NamespaceIdentity.Of(followed).Cookie);
        Assert.NotEqual(generation, followed.Generation);
        Assert.Equal(NamespaceSight.Same, followed.Look(out _));
        go.Release();
        thread.Join();
        Eventually.True(() => followed.Look(out _) == NamespaceSight.Absent);
        followed.LetGo();
        Assert.Equal(Errno.ENOENT, Assert.Throws<NetlinkException>(() => NamespaceIdentity.Of(followed)).Errno);
    }

    private void Add()
    {
        ToolRun.Output("ip", ["netns", "add", _name]);
        ToolRun.Output("ip", ["-n", _name, "link", "set", "lo", "up"]);
    }

    private void Delete() => ToolRun.Output("ip", ["netns", "del", _name]);

    private void Send(int port) => ToolRun.Output("ip", ["netns", "exec", _name, "bash", "-c", $"echo x > /dev/udp/127.0.0.1/{port}"]);

    private string[] Tables() =>
        ToolRun.Output("ip", ["netns", "exec", _name, "nft", "list", "tables"]).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private string? Sysctl(string name)
    {
        using NetworkNamespace opened = NetworkNamespace.OpenName(_name);
        return SysctlGuard.TryRead(opened, name);
    }

    private async Task<JsonElement> StatusAsync()
    {
        (int code, string output, _) = await ServiceProcess.RunAsync("stats", "--live", "--socket", $"{_directory}/api.sock");
        Assert.Equal(0, code);
        return JsonDocument.Parse(output).RootElement.Clone();
    }

    private static string Text(string record, string name)
    {
        using JsonDocument document = JsonDocument.Parse(record);
        return document.RootElement.GetProperty(name).GetString()!;
    }
}
