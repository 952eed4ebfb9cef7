using ConntrackStream.EventTap.Model;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Pipeline;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Kernel.Tests;

/// <summary>A flow id stands for one entry of the kernel's, from its start to its end.</summary>
public sealed class FlowIdentityTests
{
    private const long SameEntry = 10_000_000; // ns between two words of one entry's start

    private static readonly PipelineOptions NoAudits = new() { ProbeCount = false, AuditInterval = TimeSpan.FromHours(1) };

    /// <summary>The same tuples are used again and again, with the same conntrack ids, and most of their events are lost.</summary>
    [Fact]
    public async Task No_id_is_shared_by_two_flows_of_a_tuple_while_events_are_lost()
    {
        const int flows = 4000;
        using KernelNamespace space = new();
        using Storm storm = new(space);
        space.Sysctl("net.netfilter.nf_conntrack_timestamp", "1");
        await using ViewRig rig = new(space, NoAudits, receiveBuffer: 512 << 10);
        await rig.StartAsync();
        storm.Make(flows);
        for (int round = 0; round < 8; round++)
        {
            storm.Flush();
            storm.Repeat(flows);
        }

        await rig.EqualAsync();
        storm.Flush();
        await rig.EqualAsync();
        Assert.True(rig.Counters.Lost > 0, "nothing was lost: the buffer was too large for this test");
        Dictionary<FlowId, List<FlowChange>> byId = rig.Changes
            .Where(c => c.Kind != FlowChangeKind.Gap).GroupBy(c => c.Id).ToDictionary(g => g.Key, g => g.ToList());
        Assert.All(byId.Values, told => Assert.Equal([FlowChangeKind.Started, FlowChangeKind.Ended], told.Select(c => c.Kind)));
        Assert.True(byId.Count > flows, "the tuples were not used again");
        Assert.Empty(byId.Values.Where(told => !IsOneEntry(told[0], told[1])).Select(told => $"{told[0].Start} {told[1].Start}"));
    }

    private static bool IsOneEntry(in FlowChange start, in FlowChange end) =>
        start.Flow.Id == end.Flow.Id && start.Flow.Reply == end.Flow.Reply && Math.Abs(start.Start - end.Start) <= SameEntry;
}
