using ConntrackStream.Pipeline.Loop;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.MapCleaning;

/// <summary>An entry of the map and the flow it belongs to.</summary>
internal delegate void MapEntryVisitor(in MapMatch match, in MapValue value);

/// <summary>Reads a map beside a live view, once.</summary>
internal static class MapReader
{
    /// <summary>Streams every entry with its flow.</summary>
    /// <param name="onEntry">Called on a thread of the scan.</param>
    /// <exception cref="FlowMapException">The scan broke off.</exception>
    internal static Task<FlowMapScan> ReadAsync(
        IFlowMap map, MapLookup lookup, MapEntryVisitor onEntry, CancellationToken cancellationToken) =>
        OwnThread.Run("map-scan", () =>
        {
            using MapEntryPool pool = new();
            return map.Scan(
                pool,
                batch =>
                {
                    IReadOnlyList<MapMatch> matches = lookup.MatchAsync(batch, cancellationToken).GetAwaiter().GetResult();
                    for (int i = 0; i < matches.Count; i++)
                        onEntry(matches[i], batch.Span[i].Value);
                    pool.Return(batch);
                },
                cancellationToken);
        });
}
