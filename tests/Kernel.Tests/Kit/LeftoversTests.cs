using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>What a killed run has left goes; what a run that goes on has made stays.</summary>
public sealed class LeftoversTests
{
    private const string MaxPath = "/proc/sys/net/netfilter/nf_conntrack_max";

    [Fact]
    public void What_a_killed_run_leaves_is_removed_and_a_living_one_s_is_not()
    {
        Requirements.Root();
        using TestChild living = TestChild.Start(TestChild.Leave, NetworkNamespace.Current),
            killed = TestChild.Start(TestChild.Leave, NetworkNamespace.Current);
        Assert.Equal(("made", "made"), (living.ReadLine(), killed.ReadLine()));
        int sleeper = int.Parse(killed.ReadLine()!, System.Globalization.CultureInfo.InvariantCulture);
        killed.Kill();
        ToolRun.Output("mount", ["--bind", Left(living)[0], Left(killed)[0]]); // as a test that gives the name to another namespace
        Assert.All(Left(killed).Append($"/proc/{sleeper}"), path => Assert.True(Path.Exists(path), path));

        Leftovers.Remove();
        Assert.All(Left(killed), path => Assert.False(Path.Exists(path), path));
        Eventually.True(() => !File.Exists($"/proc/{sleeper}/exe")); // killed, though its new parent may be slow to bury it
        Assert.All(Left(living), path => Assert.True(Path.Exists(path), path));
        living.Kill();
        Leftovers.Remove();
        Assert.All(Left(living), path => Assert.False(Path.Exists(path), path));
    }

    [Fact]
    public void A_table_that_a_killed_run_has_enlarged_gets_its_size_back()
    {
        Requirements.Root();
        string max;
        using (TableSize.AtLeast(0)) // nobody else has raised it
            max = File.ReadAllText(MaxPath);
        using TestChild killed = TestChild.Start(TestChild.Enlarge, NetworkNamespace.Current);
        Assert.Equal("made", killed.ReadLine());
        Assert.False(string.Equals(File.ReadAllText(MaxPath), max, StringComparison.Ordinal));
        killed.Kill();
        Leftovers.Remove();
        // at once, unless another run has taken its turn
        Eventually.True(() => string.Equals(File.ReadAllText(MaxPath), max, StringComparison.Ordinal));
    }

    private static string[] Left(TestChild child) =>
        [$"/run/netns/cs-test-{child.ProcessId}-1", $"{Path.GetTempPath()}cs-bpf-{child.ProcessId}-1"];
}
