using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.MapCleaning.Map;

/// <summary>
/// A key of an eBPF conntrack map, decoded: whose flow it is (<see cref="Tuple"/>, zone 0; ports 0 for protocols whose keys carry none, so
/// that several kernel flows share one key) and on whose behalf it was made.
/// </summary>
/// <param name="Tuple">As the map has it; which orientation depends on the hook that made it.</param>
/// <param name="Owner">The pod the entry belongs to: source or destination of the tuple.</param>
/// <param name="InterfaceIndex">Of the owner's interface on the host; 0 where the layout has none.</param>
public readonly record struct MapKey(FlowTuple Tuple, IpAddress Owner, uint InterfaceIndex)
{
    public override int GetHashCode() => KeyedHash.Start.Add(Tuple).Add(Owner).Add(InterfaceIndex).Code;
}

/// <summary>A map entry's value, whole, so that a taken entry can be put back as it was.</summary>
/// <param name="State">The agent's own state.</param>
/// <param name="LastSeen">CLOCK_MONOTONIC in ns when a packet last used the entry; 0 where the layout does not keep it.</param>
public readonly record struct MapValue(ulong State, ulong LastSeen);

/// <summary>One entry of the map.</summary>
public readonly record struct MapEntry(MapKey Key, MapValue Value);
