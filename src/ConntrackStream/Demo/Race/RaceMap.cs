using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Service.Demo.Race;

/// <summary>The map in a cleaner's hands: each call goes to the kernel as it is, with the race's own act before a deletion.</summary>
internal sealed class RaceMap(IFlowMap map, TupleReuse reuse) : IFlowMap
{
    public FlowMapInfo Info => map.Info;

    public bool Refresh() => map.Refresh();

    public FlowMapScan Scan(MapEntryPool pool, Action<MapEntryBatch> onBatch, CancellationToken cancellationToken) =>
        map.Scan(pool, onBatch, cancellationToken);

    public bool TryLookup(in MapKey key, out MapValue value) => map.TryLookup(key, out value);

    public bool TryTake(in MapKey key, out MapValue value)
    {
        reuse.BeforeDelete(key);
        bool taken = map.TryTake(key, out value);
        if (taken)
            reuse.AfterDelete(key);
        return taken;
    }

    public bool TryRestore(in MapKey key, in MapValue value)
    {
        bool restored = map.TryRestore(key, value);
        if (restored)
            reuse.AfterRestore(key);
        return restored;
    }

    public void Dispose() => map.Dispose();
}
