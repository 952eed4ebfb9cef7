using System.Globalization;
using ConntrackStream.Sinks.MapCleaning.Delete;

namespace ConntrackStream.Kernel.Tests.Soak;

/// <summary>
/// Random traffic with reuse, translation and overruns beside a running delete stage: no entry of a live flow is left deleted, no stale one
/// stays. Short here; <c>bench/soak</c> sets CONNTRACKSTREAM_SOAK (lifetimes), _SOAK_SEED and _SOAK_RESULT (a file for the table).
/// </summary>
public class SoakTests
{
    private const int Short = 30_000;

    [Fact]
    public async Task No_live_entry_stays_deleted_and_no_stale_one_stays()
    {
        long lifetimes = Setting("", Short);
        int seed = (int)Setting("_SEED", Random.Shared.Next());
        await using SoakRun run = new(lifetimes > Short ? Full(lifetimes, seed) : Brief(seed));
        SoakResult result = await run.RunAsync();
        TestContext.Current.TestOutputHelper!.WriteLine(result.ToString());
        if (Environment.GetEnvironmentVariable("CONNTRACKSTREAM_SOAK_RESULT") is { } file)
            await File.WriteAllTextAsync(file, result.ToString(), TestContext.Current.CancellationToken);
        Assert.True(run.Faults.Count == 0, $"seed {seed}: {run.Faults.Count} faults\n{string.Join('\n', run.Faults.Take(20))}\n{result}");
        AssertWorth(run);
    }

    [Fact]
    public async Task Without_the_second_check_and_the_armed_window_live_entries_stay_deleted()
    {
        int seed = Random.Shared.Next();
        await using SoakRun run = new(
            Brief(seed) with { Lifetimes = 9_000, Checkpoint = 3_000, Alive = 500, Provoke = 2, Levers = new() { Restores = false } });
        await run.RunAsync();
        Assert.True(run.FalseDeletes.Count > 0, $"seed {seed}: {run.Counts.ReusedWithin} reuses within a deletion cut no flow");
    }

    [Fact]
    public async Task Without_weighing_ends_entries_go_before_the_time_their_flow_had_left()
    {
        SoakOptions options =
            Brief(Random.Shared.Next()) with { Lifetimes = 12_000, Checkpoint = 3_000, Flush = 1, Alive = 500, HeldFor = 10 };
        options = options with { Overrun = int.MaxValue, ReceiveBuffer = 256 << 20 }; // a loss would excuse what it looks for
        await using SoakRun run = new(options with { Levers = new() { WeighsEnds = false } });
        await run.RunAsync(); // ends with the first entry that goes early
        Assert.NotEmpty(run.Observer.GoneEarly);
    }

    private static SoakOptions Brief(int seed) => new()
    {
        Seed = seed,
        Lifetimes = Short,
        Tuples = 20_000,
        Alive = 2_000,
        Checkpoint = 14_000, // two before the end, the second of which begins with a flush
        Overrun = 12_000,
        Provoke = 20,
        AuditInterval = TimeSpan.FromMilliseconds(700),
        Timeout = 5,
        HeldFor = 2,
    };

    private static SoakOptions Full(long lifetimes, int seed) => new()
    {
        Seed = seed,
        Lifetimes = lifetimes,
        Progress = static line => Console.Error.WriteLine(line),
    };

    /// <summary>What the run was to meet, it has met.</summary>
    private static void AssertWorth(SoakRun run)
    {
        MapCounters map = run.Map;
        Assert.All(run.Counts.Opened, opened => Assert.True(opened > 0));
        (string What, long Count)[] met =
        [
            ("overruns", run.Tap.Overruns), ("lost deliveries", run.Tap.Lost),
            ("reuses", run.Counts.Reused), ("reuses of stale entries", run.Counts.ReusedStale),
            ("reuses within a deletion", run.Counts.ReusedWithin), ("held packets", run.Counts.Held), ("orphans", run.Counts.Orphans),
            ("ends by timer", run.Counts.EndedByTimeout), ("ends by flush", run.Counts.EndedByFlush),
            ("closed connections", run.Counts.EndedClosed), ("ends by request", run.Counts.EndedByRequest),
            ("held ends", map.EndsHeld), ("keys held until their time was over", run.Observer.Held),
            ("nominations by end", map.NominatedByEnd), ("nominations by misses", map.NominatedByMisses),
            ("cancelled tombstones", map.CancelledByNew),
            ("kept entries", map.KeptAlive), ("deletions", map.Deleted), ("restored entries", map.Restored), ("healed entries", map.Healed),
        ];
        Assert.All(met, one => Assert.True(one.Count > 0, $"no {one.What}"));
        Assert.Equal((0, 0, 0), (map.RestoreFailed, map.Failures, map.Evicted));
        Assert.Empty(run.Status.ExemptGroups);
    }

    private static long Setting(string name, long otherwise) =>
        long.TryParse(Environment.GetEnvironmentVariable($"CONNTRACKSTREAM_SOAK{name}"), CultureInfo.InvariantCulture, out long value)
            ? value
            : otherwise;
}
