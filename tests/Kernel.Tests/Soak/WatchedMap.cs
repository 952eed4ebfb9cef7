using System.Collections.Concurrent;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Kernel.Tests.Soak;

/// <summary>The map as the service opened it, watched: for how long was the entry of a live flow absent?</summary>
internal sealed class WatchedMap(IFlowMap map, SoakModel model) : IFlowMap
{
    private readonly ConcurrentQueue<long> _betweenChecks = new(), _armed = new();

    /// <summary>In ns, from the taking of an entry until it was put back, where its flow had begun before.</summary>
    public IReadOnlyCollection<long> BetweenChecks => _betweenChecks;

    /// <summary>
    /// In ns, from the beginning of a flow until its entry was put back, where the entry was taken between gate and connection tracking.
    /// </summary>
    public IReadOnlyCollection<long> Armed => _armed;

    public FlowMapInfo Info => map.Info;

    public bool Refresh() => map.Refresh();

    public FlowMapScan Scan(MapEntryPool pool, Action<MapEntryBatch> onBatch, CancellationToken cancellationToken) =>
        map.Scan(pool, onBatch, cancellationToken);

    public bool TryLookup(in MapKey key, out MapValue value) => map.TryLookup(key, out value);

    public bool TryTake(in MapKey key, out MapValue value)
    {
        model.Entries[key].TakenAt = SoakClock.Now;
        return map.TryTake(key, out value);
    }

    public bool TryRestore(in MapKey key, in MapValue value)
    {
        bool restored = map.TryRestore(key, value);
        SoakEntry entry = model.Entries[key];
        if (!restored) // its flow's first packet has made it anew
            return false;
        long liveSince = Volatile.Read(ref entry.LiveSince);
        if (liveSince > entry.TakenAt)
            _armed.Enqueue(SoakClock.Now - liveSince);
        else
            _betweenChecks.Enqueue(SoakClock.Now - entry.TakenAt);
        return true;
    }

    public void Dispose() => map.Dispose();
}
