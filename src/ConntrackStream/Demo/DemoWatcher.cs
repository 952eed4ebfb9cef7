using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.MapCleaning;
using ConntrackStream.Sinks.MapCleaning.Delete;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Service.Demo;

/// <summary>Tap, live view, flow log and the map's delete stage as the service has them, over the demo's gateway.</summary>
internal sealed class DemoWatcher(FlowLogFormat format, TimeProvider time) : IAsyncDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(200); // also how long a deleted entry can be put back
    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(5);

    private readonly CountingSink _records = new();
    private volatile int _ended, _missed; // entries of the map deleted, by why they were nominated
    private NetworkNamespace? _gateway;
    private BriefStream? _stream;
    private MapCleaner? _cleaning; // null without a map

    /// <summary>
    /// Begins to listen; from its return on, no event is missed, records go to standard output, and the map has been audited once.
    /// </summary>
    /// <param name="gateway">Where to listen.</param>
    /// <param name="map">The eBPF map to keep clean; null = none.</param>
    /// <param name="cancellationToken">Gives up.</param>
    internal async Task StartAsync(NetworkNamespace gateway, DemoMap? map, CancellationToken cancellationToken)
    {
        _gateway = gateway;
        FlowLogSink flowLog = new(
            new FlowLogOptions { Format = format, LocalNetworks = DemoAddresses.Inside }, time, NullLogger<FlowLogSink>.Instance);
        _cleaning = map is null ? null : new MapCleaner(ToMap(map), gateway, NullLogger<MapCleaner>.Instance);
        PipelineOptions pipeline = new() { Stages = _cleaning is null ? [] : [_cleaning] };
        _stream = new BriefStream(gateway, [flowLog, _records], pipeline, time);
        await _stream.StartAsync(cancellationToken).ConfigureAwait(false);
        while (_cleaning is { Status.LastAudit: null })
            await Task.Delay(Glance, time, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Holds the live view against a fresh dump of the kernel's table, after every event so far has been applied.</summary>
    internal async Task<DemoComparison> CompareAsync(CancellationToken cancellationToken)
    {
        await _stream!.CatchUpAsync().ConfigureAwait(false); // the last ends may still wait in the socket
        HashSet<(FlowTuple Original, FlowTuple Reply, uint Id)> kernel = [], view = []; // the keys of equality: zones are within tuples
        using ConntrackClient client = _gateway!.Run(static () => new ConntrackClient());
        client.Dump(FlowFamily.Unspecified, new FlowBatchPool(), batch =>
        {
            foreach (ref readonly FlowEvent row in batch.Span)
                kernel.Add((row.Flow.Original, row.Flow.Reply, row.Flow.Id));
            batch.Release();
        }, cancellationToken);
        await _stream.Pipeline.QueryAsync(isWanted: null, batch =>
        {
            foreach (ref readonly FlowChange change in batch.Span)
                view.Add((change.Flow.Original, change.Flow.Reply, change.Flow.Id));
            return ValueTask.CompletedTask;
        }, cancellationToken).ConfigureAwait(false);
        return new DemoComparison(view.Count, kernel.Count, kernel.Except(view).Count(), view.Except(kernel).Count());
    }

    /// <summary>Audits the map until nothing is left to be deleted, for <paramref name="patience"/> at most.</summary>
    internal async Task<DemoMapResult> CleanAsync(DemoMap map, TimeSpan patience, CancellationToken cancellationToken)
    {
        long start = time.GetTimestamp();
        MapStatus status;
        do
        {
            await _cleaning!.AuditAsync(cancellationToken).ConfigureAwait(false);
            await Task.Delay(Grace, time, cancellationToken).ConfigureAwait(false);
            status = _cleaning.Status;
        }
        while ((status.Tombstones > 0 || map.Count().StaleLeft > 0 || _ended + _missed < status.Counters.Deleted)
            && time.GetElapsedTime(start) < patience);
        (int liveLeft, int liveGone, int staleLeft) = map.Count();
        return new DemoMapResult(map.Entries, _ended, _missed, liveLeft, liveGone, staleLeft);
    }

    /// <summary>Stops listening and writes out every record.</summary>
    /// <returns>What was recorded in all.</returns>
    internal async Task<DemoRecords> StopAsync()
    {
        await _stream!.StopAsync().ConfigureAwait(false);
        return new DemoRecords(_records.Started, _records.Ended, _stream.EventsLost);
    }

    public ValueTask DisposeAsync() => _stream?.DisposeAsync() ?? ValueTask.CompletedTask;

    private MapOptions ToMap(DemoMap map) => new()
    {
        Open = map.Open,
        Mode = MapMode.Delete,
        Grace = Grace,
        ArmedWindow = Grace,
        UdpPatience = TimeSpan.Zero, // the demo's timers stand for ends: nobody speaks after them
        OnOutcome = outcome =>
        {
            if (outcome.Outcome == DeleteOutcome.Deleted)
                Interlocked.Increment(ref outcome.Tombstone.Reason == TombstoneReason.Ended ? ref _ended : ref _missed);
        },
    };
}
