using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.Tests.MapCleaning;

/// <summary>A map of the agent in memory; the kernel's own is used in Kernel.Tests.</summary>
internal sealed class ScriptedMap : IFlowMap
{
    private readonly Lock _lock = new();
    private readonly Dictionary<MapKey, MapValue> _entries = [];
    private bool _recreate;

    public FlowMapInfo Info { get; set; } = new(
        1, "/pin", "scripted", "scripted", 1000, IsIPv6: false, HasInterfaceIndex: true, HasLastSeen: false, IsWritable: true);

    /// <summary>Thrown by the next restore.</summary>
    public bool RestoreFails { get; set; }

    /// <summary>Thrown by each scan.</summary>
    public bool ScanFails { get; set; }

    /// <summary>A key that no scan tells although it is there.</summary>
    public MapKey? Omitted { get; set; }

    /// <summary>On the scan's thread, before its entries are told.</summary>
    public Action? OnScan { get; set; }

    public int Takes { get; private set; }

    public bool Has(in MapKey key)
    {
        lock (_lock)
            return _entries.ContainsKey(key);
    }

    public MapValue this[in MapKey key]
    {
        get
        {
            lock (_lock)
                return _entries[key];
        }
        set
        {
            lock (_lock)
                _entries[key] = value;
        }
    }

    public bool Remove(in MapKey key)
    {
        lock (_lock)
            return _entries.Remove(key);
    }

    /// <summary>Another, empty map has the pin from now on.</summary>
    public void Recreate() => _recreate = true;

    public bool Refresh()
    {
        if (!_recreate)
            return false;
        _recreate = false;
        Info = Info with { Id = Info.Id + 1 };
        lock (_lock)
            _entries.Clear();
        return true;
    }

    public FlowMapScan Scan(MapEntryPool pool, Action<MapEntryBatch> onBatch, CancellationToken cancellationToken)
    {
        OnScan?.Invoke();
        if (ScanFails)
            throw new FlowMapException("scanning /pin", Errno.EIO);
        MapEntryBatch batch = pool.Rent(cancellationToken);
        lock (_lock)
        {
            foreach ((MapKey key, MapValue value) in _entries.Where(entry => entry.Key != Omitted))
                batch.Add(new MapEntry(key, value));
        }

        int count = batch.Count;
        onBatch(batch);
        return new FlowMapScan(count, Junk: 0);
    }

    public bool TryLookup(in MapKey key, out MapValue value)
    {
        lock (_lock)
            return _entries.TryGetValue(key, out value);
    }

    public bool TryTake(in MapKey key, out MapValue value)
    {
        Takes++;
        lock (_lock)
            return _entries.Remove(key, out value);
    }

    public bool TryRestore(in MapKey key, in MapValue value)
    {
        if (RestoreFails)
            throw new FlowMapException("restoring into /pin", Errno.ENOMEM);
        lock (_lock)
            return _entries.TryAdd(key, value);
    }

    public void Dispose()
    {
    }
}
