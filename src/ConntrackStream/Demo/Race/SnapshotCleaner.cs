using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Service.Demo.Race;

/// <summary>
/// The agent's cleaner: one run copies the map, the next dumps the kernel's table once and deletes every copied key
/// that is absent from the dump. A tuple reused between dump and delete is cut.
/// </summary>
internal sealed class SnapshotCleaner(IFlowMap map, ConntrackClient table)
{
    private readonly FlowBatchPool _pool = new();
    private HashSet<MapKey>? _copy;

    /// <summary>One run: copies, or deletes by the last run's copy.</summary>
    /// <param name="beforeDelete">Called between the snapshot and the first delete.</param>
    /// <returns>The keys deleted.</returns>
    internal IReadOnlyList<MapKey> Run(Action? beforeDelete = null)
    {
        if (_copy is not { } copy)
        {
            _copy = MapCopy.Of(map);
            return [];
        }

        _copy = null;
        HashSet<MapKey> alive = AgentKeys.Derive(table, _pool, copy, map.Info.IsIPv6 ? FlowFamily.IPv6 : FlowFamily.IPv4);
        beforeDelete?.Invoke();
        return [.. copy.Where(key => !alive.Contains(key) && map.TryTake(key, out _))];
    }
}
