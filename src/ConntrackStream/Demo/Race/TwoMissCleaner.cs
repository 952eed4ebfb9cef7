using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Service.Demo.Race;

/// <summary>
/// The agent's cleaner with the fix once proposed: a key is deleted when two consecutive runs missed it, kept in two
/// sets that take turns. A stale key still meets the window between dump and delete once, at its second miss.
/// </summary>
internal sealed class TwoMissCleaner(IFlowMap map, ConntrackClient table)
{
    private readonly FlowBatchPool _pool = new();
    private readonly HashSet<MapKey> _even = [];
    private readonly HashSet<MapKey> _odd = [];
    private bool _isEven = true;

    /// <summary>One run: copy, dump, compare, delete.</summary>
    /// <param name="beforeDelete">Called between the snapshot and the first delete.</param>
    /// <returns>The keys deleted.</returns>
    internal IReadOnlyList<MapKey> Run(Action? beforeDelete = null)
    {
        (HashSet<MapKey> now, HashSet<MapKey> before) = _isEven ? (_even, _odd) : (_odd, _even);
        HashSet<MapKey> copy = MapCopy.Of(map);
        HashSet<MapKey> alive = AgentKeys.Derive(table, _pool, copy, map.Info.IsIPv6 ? FlowFamily.IPv6 : FlowFamily.IPv4);
        beforeDelete?.Invoke();
        List<MapKey> deleted = [];
        foreach (MapKey key in copy)
        {
            if (alive.Contains(key))
                continue;
            if (!before.Contains(key))
                now.Add(key);
            else if (map.TryTake(key, out _))
                deleted.Add(key);
        }

        before.Clear();
        _isEven = !_isEven;
        return deleted;
    }
}
