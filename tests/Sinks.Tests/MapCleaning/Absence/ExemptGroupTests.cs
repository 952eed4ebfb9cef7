using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Tests.Kit;
using ConntrackStream.Sinks.MapCleaning.Absence;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.Tests.MapCleaning.Absence;

/// <summary>Which keys of groups that never matched a flow are left alone. A group is exempt from four keys on.</summary>
public sealed class ExemptGroupTests
{
    private const uint Gone = 8; // an interface that the namespace does not have

    [Theory]
    [InlineData(false, 6, 0)]
    [InlineData(true, 0, 6)]
    public async Task Keys_of_an_interface_that_is_gone_are_stale_exempt_or_not(bool isGone, int exempt, int deleted)
    {
        await using CleaningHarness harness = new();
        for (ushort port = 1; port <= 6; port++)
            harness.Map[KeyTo(5000, port) with { InterfaceIndex = isGone ? Gone : 7 }] = default;
        await CleanAsync(harness);
        Assert.Equal((exempt, deleted), (harness.Status.ExemptGroups.Values.Sum(), harness.Counters.Deleted));
    }

    [Fact]
    public async Task An_interface_that_goes_later_frees_its_keys()
    {
        await using CleaningHarness harness = new();
        harness.Interfaces.Add(Gone);
        for (ushort port = 1; port <= 6; port++)
            harness.Map[KeyTo(5000, port) with { InterfaceIndex = Gone }] = default;
        await CleanAsync(harness);
        Assert.Equal(0, harness.Counters.Deleted);
        await harness.OnLoopAsync(() => harness.Interfaces.Remove(Gone));
        await CleanAsync(harness, start: false);
        Assert.Equal(6, harness.Counters.Deleted);
    }

    [Theory]
    [InlineData(null, 6, 0)] // nothing is known of their age
    [InlineData(121, 0, 6)] // longer ago than any flow is kept, where the kernel does not say for how long that is
    [InlineData(119, 6, 0)]
    public async Task Keys_that_nothing_uses_any_more_are_stale_exempt_or_not(int? hoursAgo, int exempt, int deleted)
    {
        await using CleaningHarness harness = new();
        harness.Map.Info = harness.Map.Info with { HasLastSeen = true };
        harness.Kernel.Time.Advance(TimeSpan.FromDays(6));
        TimeProvider time = harness.Kernel.Time;
        long now = (long)((Int128)time.GetTimestamp() * 1_000_000_000 / time.TimestampFrequency);
        long lastSeen = hoursAgo is { } hours ? now - (TimeSpan.FromHours(hours).Ticks * 100) : 0;
        for (ushort port = 1; port <= 6; port++)
            harness.Map[KeyTo(5000, port)] = new MapValue(1, (ulong)lastSeen);
        await CleanAsync(harness);
        Assert.Equal((exempt, deleted), (harness.Status.ExemptGroups.Values.Sum(), harness.Counters.Deleted));
    }

    [Theory]
    [InlineData(0, 6)]
    [InlineData(1, 0)] // of another map nothing is known
    public async Task What_was_learnt_outlives_the_process(uint otherMap, int deleted)
    {
        MapMemory? learnt = null;
        await using (CleaningHarness before = new(options: options => options with { OnLearnt = memory => learnt = memory }))
        {
            Flow flow = ViewHarness.Udp(100);
            flow.Original.DestinationPort = flow.Reply.SourcePort = 5000;
            before.Kernel.Table[flow.Original] = flow;
            before.Map[CleaningHarness.Key(flow)] = default;
            await before.StartAsync();
        }

        await using CleaningHarness after = new(
            options: options => options with { Earlier = learnt! with { MapId = learnt.MapId + otherMap } });
        for (ushort port = 1; port <= 6; port++)
            after.Map[KeyTo(5000, port)] = default;
        await CleanAsync(after);
        Assert.Equal(deleted, after.Counters.Deleted);
    }

    /// <summary>Three audits with the grace between them.</summary>
    private static async Task CleanAsync(CleaningHarness harness, bool start = true)
    {
        if (start)
            await harness.StartAsync();
        for (int audit = 0; audit < 2; audit++)
        {
            await harness.AdvanceAsync(CleaningHarness.Grace);
            await harness.AuditAsync();
        }

        await harness.AdvanceAsync(CleaningHarness.Grace);
        await harness.SettleAsync();
    }

    private static MapKey KeyTo(ushort port, ushort sourcePort)
    {
        FlowTuple tuple = ViewHarness.Udp(sourcePort).Original;
        tuple.DestinationPort = port;
        return CleaningHarness.KeyOf(tuple);
    }
}
