using ConntrackStream.Kernel.Tests.Kit;

namespace ConntrackStream.Kernel.Tests.Service;

/// <summary>demo as a process, for its words and its exit code.</summary>
public sealed class DemoProcessTests
{
    private const string Map = "demo: map: 13 entries made, 11 stale ones deleted (10 after their flow's end, 1 after two missed audits), 2 of live flows left, 0 wrong\n";

    [Fact]
    public async Task Everything_is_accounted_for()
    {
        Requirements.Root();
        (int code, string output, string error) = await ServiceProcess.RunAsync("demo");
        Assert.Equal(0, code);
        Assert.Equal(61, output.Count(static letter => letter == '\n'));
        Assert.Contains("demo: 32 flows made; 32 start records, 29 end records, 0 events lost\ndemo: 3 connections still open; live view 3 flows, kernel 3: equal\n" + Map, error, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_the_permission_for_bpf_it_goes_on_without_a_map()
    {
        Requirements.Root();
        using KernelNamespace space = new(track: false);
        KernelProcess demo = space.Start("unshare", "-rn", ServiceProcess.Program, "demo"); // a user namespace has no CAP_BPF that counts
        Assert.Equal(0, demo.WaitForExit());
        Assert.Single(demo.Error, static line => line.StartsWith("demo: map: ", StringComparison.Ordinal));
        Assert.Contains(demo.Error, static line => line.StartsWith("demo: map: left out: creating the map 'demo_conntrack'", StringComparison.Ordinal)
            && line.Contains("EPERM", StringComparison.Ordinal));
    }
}
