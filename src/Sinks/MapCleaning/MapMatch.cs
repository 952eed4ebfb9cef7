using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.LiveView;
using ConntrackStream.Sinks.MapCleaning.Absence;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.MapCleaning;

/// <summary>How a map key and the live view go together.</summary>
/// <param name="Key">The map's key.</param>
/// <param name="HasFlow">Some live flow has it.</param>
/// <param name="Flow">That flow; default when there is none, or when many flows may share the key (<see cref="IsShared"/>).</param>
public readonly record struct MapMatch(MapKey Key, bool HasFlow, Flow Flow)
{
    /// <summary>The key has no ports, and so stands for every flow between its addresses.</summary>
    public bool IsShared => MapKeys.IsShared(Key.Tuple.Protocol);
}

/// <summary>Looks keys up in the view, as it was when this was made and as it has become since.</summary>
internal sealed class MapMatcher
{
    private readonly LiveRows _view;
    private readonly LiveTuples _live;

    /// <summary>Goes over the whole view once; on the loop, and for tools only: it takes some 20 ms for a million flows.</summary>
    public MapMatcher(LiveRows view)
    {
        _view = view;
        _live = new LiveTuples(view);
        view.Visit(_live);
    }

    public MapMatch Match(in MapKey key)
    {
        FlowTuple tuple = key.Tuple;
        if (MapKeys.IsShared(tuple.Protocol))
            return new MapMatch(key, _live.Holds(tuple), default);
        int slot = _live.Find(tuple);
        FlowChange change = default;
        return slot >= 0 && _view.TryRead(tuple.Family, slot, ref change, out _)
            ? new MapMatch(key, HasFlow: true, change.Flow)
            : new MapMatch(key, slot >= 0, default);
    }
}
