using System.Reactive.Concurrency;
using System.Reactive.Subjects;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Rates;

namespace ConntrackStream.Pipeline.Tests.Rates;

public sealed class StreamSamplesTests
{
    [Fact]
    public void Each_interval_has_a_sample_with_its_changes_and_busiest_sources()
    {
        using Subject<FlowChangeBatch> changes = new();
        HistoricalScheduler clock = new();
        List<StreamSample> samples = [];
        using IDisposable subscription = changes.Sample(TimeSpan.FromSeconds(1), talkers: 2, clock).Subscribe(samples.Add);
        changes.OnNext(Batch((FlowChangeKind.Started, 1, 0), (FlowChangeKind.Started, 1, 0), (FlowChangeKind.Started, 2, 0)));
        changes.OnNext(Batch((FlowChangeKind.Ended, 3, 700), (FlowChangeKind.Updated, 3, 900), (FlowChangeKind.Gap, 0, 0)));
        clock.AdvanceBy(TimeSpan.FromSeconds(1));
        clock.AdvanceBy(TimeSpan.FromSeconds(1)); // a quiet one
        changes.OnNext(Batch((FlowChangeKind.Ended, 1, 5)));
        clock.AdvanceBy(TimeSpan.FromSeconds(1));

        Assert.Equal(
            [(3, 1, 1, 1), (0, 0, 0, 0), (0, 0, 1, 0)], samples.Select(static one => (one.Started, one.Updated, one.Ended, one.Gaps)));
        Assert.Equal( // bytes come first
            [(3ul, 0, 700ul), (1ul, 2, 0ul)], samples[0].Talkers.Select(static one => (one.Source.Low, one.Started, one.Bytes)));
        Assert.Equal( // new flows come first
            [(1ul, 2, 0ul), (2ul, 1, 0ul)], samples[0].Starters.Select(static one => (one.Source.Low, one.Started, one.Bytes)));
        Assert.Empty(samples[1].Talkers);
        Assert.Equal(5ul, Assert.Single(samples[2].Talkers).Bytes);
    }

    private static FlowChangeBatch Batch(params (FlowChangeKind Kind, ulong Source, ulong Bytes)[] changes)
    {
        FlowChangeBatch batch = new();
        foreach ((FlowChangeKind kind, ulong source, ulong bytes) in changes)
        {
            ref FlowChange change = ref batch.Add();
            change.Kind = kind;
            change.Flow.Original = new FlowTuple { Family = FlowFamily.IPv4, Source = new IpAddress(0, source) };
            change.Flow.OriginalBytes = bytes;
        }

        return batch;
    }
}
