namespace ConntrackStream.Sinks.MapCleaning.Map;

/// <summary>
/// An eBPF map with an entry a flow, as the delete stage needs it. Not thread-safe, except that one <see cref="Scan"/> may run on a thread
/// of its own beside the other calls. All but <see cref="Scan"/> take microseconds.
/// </summary>
public interface IFlowMap : IDisposable
{
    /// <summary>The map in use; another one after <see cref="Refresh"/> returned true.</summary>
    FlowMapInfo Info { get; }

    /// <summary>Looks whether the pin still names this map, and changes over to the new one if not.</summary>
    /// <returns>True when the map was recreated: nothing known of its entries holds any more.</returns>
    /// <exception cref="FlowMapException">The pin is gone, or names a map of an unknown layout; the old map stays in use.</exception>
    bool Refresh();

    /// <summary>
    /// Streams all entries. Those that come or go meanwhile may or may not be among them; those that stay are told once.
    /// </summary>
    /// <param name="pool">Renting from it waits while the receiver has all batches; the receiver gives each back.</param>
    /// <param name="onBatch">Called on the calling thread.</param>
    /// <exception cref="FlowMapException">The scan broke off: what was told is not all.</exception>
    FlowMapScan Scan(MapEntryPool pool, Action<MapEntryBatch> onBatch, CancellationToken cancellationToken);

    /// <summary>BPF_MAP_LOOKUP_ELEM: false on ENOENT. Does not refresh the entry's place in the LRU list.</summary>
    /// <exception cref="FlowMapException">Any other errno.</exception>
    bool TryLookup(in MapKey key, out MapValue value);

    /// <summary>BPF_MAP_LOOKUP_AND_DELETE_ELEM: removes the entry and returns its value, atomically; false on ENOENT.</summary>
    /// <exception cref="FlowMapException">Any other errno; EPERM when the map was opened read-only.</exception>
    bool TryTake(in MapKey key, out MapValue value);

    /// <summary>BPF_MAP_UPDATE_ELEM with BPF_NOEXIST: puts a taken entry back; false when there is one again (EEXIST).</summary>
    /// <exception cref="FlowMapException">Any other errno.</exception>
    bool TryRestore(in MapKey key, in MapValue value);
}

/// <summary>What is known of a map.</summary>
/// <param name="Id">The kernel's id of it, never used again while the machine runs.</param>
/// <param name="Source">The pin's path, or <c>id N</c>.</param>
/// <param name="Name">The map's own name, as the kernel keeps it (15 characters).</param>
/// <param name="Layout">Name of its layout.</param>
/// <param name="Capacity">max_entries.</param>
/// <param name="IsIPv6">The family of all its keys.</param>
/// <param name="HasInterfaceIndex">Keys carry one.</param>
/// <param name="HasLastSeen">Values carry one.</param>
/// <param name="IsWritable">Opened for deleting; otherwise the descriptor itself forbids it.</param>
public sealed record FlowMapInfo(
    uint Id,
    string Source,
    string Name,
    string Layout,
    uint Capacity,
    bool IsIPv6,
    bool HasInterfaceIndex,
    bool HasLastSeen,
    bool IsWritable)
{
    /// <summary>Entries from which on the kernel may evict some by itself (LRU); null for a map that never does.</summary>
    public uint? EvictsFrom { get; init; }
}

/// <summary>A finished scan.</summary>
/// <param name="Entries">Entries told.</param>
/// <param name="Junk">Entries whose key no agent can have written (padding that is not zero, an owner that is neither
/// end): never told, never touched.</param>
public readonly record struct FlowMapScan(long Entries, long Junk);
