using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline;
using ConntrackStream.Pipeline.Delete;
using ConntrackStream.Service.Demo;
using ConntrackStream.Sinks.FlowLog;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Service.Verbs;

/// <summary>Tap, live view, flow log and the map's delete stage as the service has them, over the demo's gateway.</summary>
internal sealed class DemoWatcher(FlowLogFormat format, TimeProvider time) : IDemoWatcher
{
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(200); // also how long a deleted entry can be put back
    private static readonly TimeSpan CatchUpPatience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(5);

    private readonly CountingSink _records = new();
    private volatile int _ended, _missed; // entries of the map deleted, by why they were nominated
    private NetworkNamespace? _gateway;
    private KernelSource? _kernel;
    private FlowPipeline? _pipeline;

    public async Task StartAsync(NetworkNamespace gateway, DemoMap? map, CancellationToken cancellationToken)
    {
        _gateway = gateway;
        FlowLogSink flowLog = new(new FlowLogOptions { Format = format, LocalNetworks = DemoAddresses.Inside }, time, NullLogger<FlowLogSink>.Instance);
        _kernel = new KernelSource(new TapOptions { Namespace = gateway }, time, NullLoggerFactory.Instance);
        _pipeline = new FlowPipeline(_kernel.Source, [flowLog, _records], new PipelineOptions { Map = map is null ? null : ToMap(map) }, time, NullLogger<FlowPipeline>.Instance);
        await _pipeline.StartAsync(cancellationToken).ConfigureAwait(false);
        await _kernel.Tap.StartAsync(cancellationToken).ConfigureAwait(false);
        await _pipeline.FirstSync.WaitAsync(cancellationToken).ConfigureAwait(false);
        while (_pipeline.Status.Map is { LastAudit: null })
            await Task.Delay(Glance, time, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The keys of <c>equality</c>: both tuples, zones within them, and the id.</summary>
    public async Task<DemoComparison> CompareAsync(CancellationToken cancellationToken)
    {
        await _pipeline!.DrainAsync(CatchUpPatience).ConfigureAwait(false); // the last ends may still wait in the socket
        HashSet<(FlowTuple, FlowTuple, uint)> kernel = [], view = [];
        using ConntrackClient client = _gateway!.Run(static () => new ConntrackClient());
        client.Dump(FlowFamily.Unspecified, new FlowBatchPool(), batch =>
        {
            foreach (ref readonly FlowEvent row in batch.Span)
                kernel.Add((row.Flow.Original, row.Flow.Reply, row.Flow.Id));
            batch.Release();
        }, cancellationToken);
        await _pipeline.QueryAsync(isWanted: null, batch =>
        {
            foreach (ref readonly FlowChange change in batch.Span)
                view.Add((change.Flow.Original, change.Flow.Reply, change.Flow.Id));
            return ValueTask.CompletedTask;
        }, cancellationToken).ConfigureAwait(false);
        return new DemoComparison(view.Count, kernel.Count, kernel.Except(view).Count(), view.Except(kernel).Count());
    }

    public async Task<DemoMapResult> CleanAsync(DemoMap map, TimeSpan patience, CancellationToken cancellationToken)
    {
        long start = time.GetTimestamp();
        MapStatus status;
        do
        {
            await _pipeline!.AuditMapAsync(cancellationToken).ConfigureAwait(false);
            await Task.Delay(Grace, time, cancellationToken).ConfigureAwait(false);
            status = _pipeline.Status.Map!;
        }
        while ((status.Tombstones > 0 || _ended + _missed < status.Counters.Deleted) && time.GetElapsedTime(start) < patience);
        (int liveLeft, int liveGone, int staleLeft) = map.Count();
        return new DemoMapResult(map.Entries, _ended, _missed, liveLeft, liveGone, staleLeft);
    }

    public async Task<DemoRecords> StopAsync()
    {
        await _kernel!.Tap.StopAsync().ConfigureAwait(false);
        await _pipeline!.StopAsync().ConfigureAwait(false);
        return new DemoRecords(_records.Started, _records.Ended, _kernel.Tap.Counters.Lost);
    }

    public async ValueTask DisposeAsync()
    {
        if (_pipeline is not null)
            await _pipeline.DisposeAsync().ConfigureAwait(false);
        if (_kernel is not null)
            await _kernel.DisposeAsync().ConfigureAwait(false);
    }

    private MapOptions ToMap(DemoMap map) => new()
    {
        Open = map.Open,
        Mode = MapMode.Delete,
        Grace = Grace,
        ArmedWindow = Grace,
        OnOutcome = outcome =>
        {
            if (outcome.Outcome == DeleteOutcome.Deleted)
                Interlocked.Increment(ref outcome.Tombstone.Reason == TombstoneReason.Ended ? ref _ended : ref _missed);
        },
    };

    /// <summary>Counts what the sinks are given.</summary>
    private sealed class CountingSink : IFlowSink
    {
        public string Name => "count";

        internal long Started { get; private set; }

        internal long Ended { get; private set; }

        public ValueTask StartAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask WriteAsync(FlowChangeBatch batch, CancellationToken cancellationToken)
        {
            foreach (ref readonly FlowChange change in batch.Span)
            {
                Started += change.Kind == FlowChangeKind.Started ? 1 : 0;
                Ended += change.Kind == FlowChangeKind.Ended ? 1 : 0;
            }

            return ValueTask.CompletedTask;
        }

        public ValueTask FlushAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
