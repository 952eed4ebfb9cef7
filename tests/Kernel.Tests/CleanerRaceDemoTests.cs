using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Kernel.Tests.Service;
using ConntrackStream.Service.Demo.Race;
using ConntrackStream.Sinks.MapCleaning.Delete;
using ConntrackStream.Sinks.MapCleaning.Ebpf;
using ConntrackStream.Sinks.MapCleaning.Map;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Kernel.Tests;

/// <summary><c>demo race</c>: the figures of each cleaner, and of ours with its guards taken away.</summary>
public sealed class CleanerRaceDemoTests
{
    private const int Connections = 8, Reused = 4, Quiet = 8;

    private static readonly RaceOptions Small = new(Rounds: 1, Connections: Connections);

    public CleanerRaceDemoTests() => Requirements.Root();

    [Fact]
    public async Task Both_of_the_agents_algorithms_cut_each_reused_tuple_and_ours_none()
    {
        RaceResult[] results = await Race(Small).RunAsync(TestContext.Current.CancellationToken);

        Assert.Equal("snapshot two-miss ours", string.Join(' ', results.Select(static result => result.Cleaner)));
        Assert.All(results, static result => Assert.Equal((4, 4), (result.Stale, result.StaleRemoved)));
        Assert.All(results, static result => Assert.Equal((Reused, Reused + Quiet), (result.Reused, result.Live)));
        Assert.All(results[..2], static result =>
        {
            Assert.Equal((Reused, Reused, Reused, 0), (result.Cut, result.CutWhileTracked, result.Recovered, result.Restored));
            Assert.InRange(result.Dropped, Reused, long.MaxValue);
            Assert.NotNull(result.Story);
            Assert.False(CleanerRace.IsRight(result));
        });
        Assert.Equal((0, Reused, 0), (results[2].Cut, results[2].Restored, results[2].Dropped));
        Assert.True(CleanerRace.IsRight(results[2]));
    }

    [Theory]
    [InlineData(true, false, 0)] // the NEW has them put back
    [InlineData(false, false, Reused)]
    public async Task Ours_without_its_guards(bool restores, bool checksAgain, int cut)
    {
        OurCleaner cleaner = new(TimeProvider.System, new MapLevers { Restores = restores, ChecksAgain = checksAgain });

        RaceResult result = Assert.Single(await Race(Small).RunAsync([cleaner], TestContext.Current.CancellationToken));

        Assert.Equal((Reused, cut, Reused - cut, 4), (result.Reused, result.Cut, result.Restored, result.StaleRemoved));
    }

    [Fact]
    public async Task Ours_cuts_none_at_random_moments_either()
    {
        RaceOptions options = new(Rounds: 2, Connections: 100, IsNatural: true);

        OurCleaner cleaner = new(TimeProvider.System);
        RaceResult result = Assert.Single(await Race(options).RunAsync([cleaner], TestContext.Current.CancellationToken));

        Assert.Equal((100, 100, 100, 0), (result.Stale, result.StaleRemoved, result.Reused, result.Cut));
    }

    [Fact]
    public async Task The_verb_prints_a_table_and_succeeds()
    {
        (int code, string output, string error) = await ServiceProcess.RunAsync("demo", "race", "--rounds", "1", "--connections", "8");
        Assert.True(code == 0, error);
        Assert.Matches(@"\nsnapshot +4 of 4 +4 +12 +4 +4 of 4 +0 +\d+\ntwo-miss +4 of 4 +4 +12 +4 +4 of 4 +0 +\d+\n", output);
        Assert.Matches(@"\nours +4 of 4 +4 +12 +0 +0 of 0 +4 +0\n", output);
        Assert.Contains("one connection that two-miss cut:\n", output, StringComparison.Ordinal);
        Assert.Contains("right before its delete call", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Interrupted_it_ends_without_a_result()
    {
        using ServiceProcess race = ServiceProcess.StartVerb("demo", "race", "--rounds", "20");
        await race.WaitForLogAsync("round 1 of 20");
        race.Signal("INT");
        await race.WaitForLogAsync("interrupted: the race has no result");
        Assert.Equal(1, await race.WaitForExitAsync());
    }

    [Fact]
    public async Task Without_root_it_says_so()
    {
        (int code, string output, string error) = await ServiceProcess.RunUnprivilegedAsync("demo", "race");
        Assert.Equal((3, ""), (code, output));
        Assert.Contains("making network namespace 'node': EPERM", error, StringComparison.Ordinal);
    }

    /// <summary>What this kernel answers to a hook that it does not know is what one before 6.6 answers to tcx.</summary>
    [Fact]
    public void A_hook_that_the_kernel_does_not_know_is_EINVAL()
    {
        const TcxHook unknown = (TcxHook)10_000;
        using EbpfFlowMap map = EbpfFlowMap.Create("aws-npa-ipv4-key24-value1", 16, "race_test");
        Assert.Equal(Errno.None, Bpf.CreateArray(sizeof(long), 4, "race_counters", out SafeFileHandle counters));
        using (counters)
        {
            GateMap gateMap = new(map.Handle, IsIPv6: false, HasLastSeen: false);
            using SafeFileHandle program = GateProgram.Load(gateMap, counters, GateDirection.FromPod, reply: false, interfaceIndex: 1);
            Assert.Equal(Errno.EINVAL, Bpf.AttachTcx(program, 1, unknown, out _));
            Assert.IsType<PlatformNotSupportedException>(TcxGate.Refusal(Errno.EINVAL));
            Assert.IsType<FlowMapException>(TcxGate.Refusal(Errno.EPERM));
        }
    }

    private static CleanerRace Race(RaceOptions options) => new(options, static _ => { }, TimeProvider.System);
}
