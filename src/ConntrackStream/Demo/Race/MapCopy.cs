using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Service.Demo.Race;

/// <summary>All keys of a map at about one time.</summary>
internal static class MapCopy
{
    internal static HashSet<MapKey> Of(IFlowMap map)
    {
        using MapEntryPool pool = new();
        HashSet<MapKey> keys = [];
        map.Scan(
            pool,
            batch =>
            {
                foreach (ref readonly MapEntry entry in batch.Span)
                    keys.Add(entry.Key);
                pool.Return(batch);
            },
            CancellationToken.None);
        return keys;
    }
}
