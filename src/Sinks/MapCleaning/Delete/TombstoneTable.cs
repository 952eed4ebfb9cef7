using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.MapCleaning.Delete;

/// <summary>
/// The tombstones by key, and by tuple whichever way round, so that a NEW finds all keys of its flow. Used by the loop only.
/// </summary>
internal sealed class TombstoneTable
{
    private readonly Dictionary<MapKey, Tombstone> _byKey = [];
    private readonly Dictionary<FlowTuple, Tombstone> _byTuple = [];

    public int Count => _byKey.Count;

    public IEnumerable<Tombstone> All => _byKey.Values;

    public bool Contains(in MapKey key) => _byKey.ContainsKey(key);

    public void Add(Tombstone tombstone)
    {
        _byKey.Add(tombstone.Key, tombstone);
        FlowTuple tuple = MapKeys.Canonical(tombstone.Key.Tuple);
        tombstone.NextOfTuple = _byTuple.GetValueOrDefault(tuple);
        _byTuple[tuple] = tombstone;
    }

    /// <summary>The first tombstone of a flow's key, then <see cref="Tombstone.NextOfTuple"/>; null when it has none.</summary>
    /// <param name="tuple">Original or reply tuple, in either orientation.</param>
    public Tombstone? Of(in FlowTuple tuple) => _byTuple.GetValueOrDefault(MapKeys.Canonical(tuple));

    public void Remove(Tombstone tombstone)
    {
        _byKey.Remove(tombstone.Key);
        FlowTuple tuple = MapKeys.Canonical(tombstone.Key.Tuple);
        Tombstone head = _byTuple[tuple];
        if (head != tombstone)
        {
            while (head.NextOfTuple != tombstone)
                head = head.NextOfTuple!;
            head.NextOfTuple = tombstone.NextOfTuple;
        }
        else if (tombstone.NextOfTuple is { } next)
        {
            _byTuple[tuple] = next;
        }
        else
        {
            _byTuple.Remove(tuple);
        }
    }

    public void Clear()
    {
        foreach (Tombstone tombstone in _byKey.Values)
            tombstone.State = TombstoneState.Closed;
        _byKey.Clear();
        _byTuple.Clear();
    }
}
