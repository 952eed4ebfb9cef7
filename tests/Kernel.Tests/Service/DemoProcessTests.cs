using ConntrackStream.Kernel.Tests.Kit;

namespace ConntrackStream.Kernel.Tests.Service;

/// <summary>demo as a process, for its words and its exit code.</summary>
[Trait(ServiceProcess.Builds, ServiceProcess.Both)]
public sealed class DemoProcessTests
{
    private const string Map = "demo: map: 13 entries made, 11 stale ones deleted (10 after their flow's end, 1 after two missed audits), "
        + "2 of live flows left, 0 wrong\n";

    private const string Uplinks = """
        demo: two uplinks: tcp download 10\.77\.0\.2 -> 203\.0\.113\.20:443 was on wan1; the set app4 gained 203\.0\.113\.20: client reset after \d+ ms, reconnected on wan2
        demo: two uplinks: udp was on wan1: deleted, on wan2 with its next packet; untranslated udp: re-marked, on wan2, 0 of \d+ packets lost; 1 other flow left alone; 3 of 3 moves confirmed, 0 events lost
        """;

    [Fact]
    public async Task Everything_is_accounted_for()
    {
        Requirements.Root();
        (int code, string output, string error) = await ServiceProcess.RunAsync("demo");
        Assert.Equal(0, code);
        string[] records = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.DoesNotContain(records[..61], static record => record.Contains("caused_by", StringComparison.Ordinal));
        string caused =
            Assert.Single(records[61..], static record => record.Contains("\"caused_by\":\"reclassify\"", StringComparison.Ordinal));
        // the connection whose client was reset outlives the demo, closed
        Assert.Contains("\"proto\":\"udp\"", caused, StringComparison.Ordinal);
        Assert.Contains(
            "demo: 32 flows made; 32 start records, 29 end records, 0 events lost\n"
            + "demo: 3 connections still open; live view 3 flows, kernel 3: equal\n" + Map,
            error,
            StringComparison.Ordinal);
        Assert.Matches(Uplinks, error);
    }

    [Theory]
    [InlineData("", "the program ip cannot be started: ENOENT; it comes with iproute2 (OpenWrt: ip-full)")]
    [InlineData("ip", "the program nft cannot be started: ENOENT; it comes with nftables")]
    [InlineData("ip nft", null)]
    public async Task Without_the_programs_for_two_uplinks_it_goes_on_without_them(string present, string? missing)
    {
        Requirements.Root();
        string directory = Directory.CreateTempSubdirectory("cs-demo-").FullName;
        try
        {
            foreach (string tool in present.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                File.CreateSymbolicLink($"{directory}/{tool}", ToolRun.Output("sh", ["-c", $"command -v {tool}"]).Trim());
            string error = await RunWithPathAsync(directory);
            if (missing is null)
                Assert.Matches(Uplinks, error);
            else
                Assert.Contains($"demo: two uplinks: left out: {missing}\n", error, StringComparison.Ordinal);
            Assert.Equal(
                missing is null ? 2 : 1,
                error.Split('\n').Count(static line => line.StartsWith("demo: two uplinks: ", StringComparison.Ordinal)));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Theory]
    [InlineData(
        "ip",
        "-batch -: RTNETLINK answers: Operation not supported (it takes iproute2 (OpenWrt: ip-full), "
        + "and of the kernel CONFIG_IP_MULTIPLE_TABLES)")]
    [InlineData(
        "nft",
        "-f -: RTNETLINK answers: Operation not supported (it takes nftables, and of the kernel CONFIG_NF_TABLES_INET, "
        + "CONFIG_NFT_CT and CONFIG_NFT_MASQ)")]
    public async Task Without_what_two_uplinks_take_of_the_kernel_it_goes_on_without_them(string tool, string words)
    {
        Requirements.Root();
        string directory = Directory.CreateTempSubdirectory("cs-demo-").FullName;
        try
        {
            await File.WriteAllTextAsync($"{directory}/{tool}", $$"""
                #!/bin/sh
                case $1 in -V|--version) exit 0; esac
                echo 'RTNETLINK answers: Operation not supported' >&2
                exit 2
                """, TestContext.Current.CancellationToken);
            File.SetUnixFileMode($"{directory}/{tool}", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            string error = await RunWithPathAsync($"{directory}:{Environment.GetEnvironmentVariable("PATH")}");
            Assert.Contains($"demo: two uplinks: left out: {tool} {words}\n", error, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>What it says, of a demo that succeeds.</summary>
    private static async Task<string> RunWithPathAsync(string path)
    {
        (int code, string output, string error) = await ServiceProcess.RunAsAsync("env", $"PATH={path}", ServiceProcess.Program, "demo");
        Assert.True(code == 0, error);
        Assert.Contains(Map, error, StringComparison.Ordinal);
        Assert.NotEmpty(output);
        return error;
    }

    [Fact]
    public void Without_the_permission_for_bpf_it_goes_on_without_a_map()
    {
        Requirements.Root();
        using KernelNamespace space = new(track: false);
        KernelProcess demo = space.Start("unshare", "-rn", ServiceProcess.Program, "demo"); // a user namespace has no CAP_BPF that counts
        Assert.Equal(0, demo.WaitForExit());
        Assert.Single(demo.Error, static line => line.StartsWith("demo: map: ", StringComparison.Ordinal));
        Assert.Contains(
            demo.Error,
            static line => line.StartsWith("demo: map: left out: creating the map 'demo_conntrack'", StringComparison.Ordinal)
                && line.Contains("EPERM", StringComparison.Ordinal));
    }
}
