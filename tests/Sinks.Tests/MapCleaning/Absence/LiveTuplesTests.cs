using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Tests.Kit;
using ConntrackStream.Sinks.MapCleaning.Delete;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Sinks.Tests.MapCleaning.Absence;

public sealed class LiveTuplesTests
{
    [Fact]
    public async Task A_flow_that_starts_while_the_tuples_are_gathered_anew_is_among_them()
    {
        ViewHarness harness = new();
        MapKernel kernel = new() { HasInterface = static _ => true, Timeouts = static () => null };
        MapContext context = new(
            harness.NewStageContext(), new MapOptions { Open = static () => new ScriptedMap() }, new MapLevers(), kernel);
        await using DeleteJournal journal = new(NullLogger.Instance);
        DeleteStage stage = new(context, journal, NullLogger.Instance);
        FlowChangeBatch batch = new();
        ref FlowChange change = ref batch.Add();
        change.Kind = FlowChangeKind.Started;
        change.Flow = ViewHarness.Udp(1);
        change.Flow.Original.Protocol = change.Flow.Reply.Protocol = IpProtocol.Icmp;
        change.Flow.Original.Zone = change.Flow.Reply.Zone = 4;
        FlowTuple tuple = change.Flow.Original;

        context.OpenLive();
        stage.OnChanges(batch);
        Assert.True(context.Live.Holds(tuple));
        context.CommitLive();
        Assert.True(context.Live.Holds(tuple));
        Assert.Equal([0, 4], context.Live.Zones.ToArray());
    }
}
