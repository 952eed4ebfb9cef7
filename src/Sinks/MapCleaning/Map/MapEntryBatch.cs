using System.Collections.Concurrent;

namespace ConntrackStream.Sinks.MapCleaning.Map;

/// <summary>Entries of a map on their way from a scan to the loop. Owned by whoever has it, then given back to its pool.</summary>
public sealed class MapEntryBatch
{
    public const int Capacity = 1024;

    private readonly MapEntry[] _entries = new MapEntry[Capacity];

    public int Count { get; private set; }

    public bool IsFull => Count == Capacity;

    public ReadOnlySpan<MapEntry> Span => _entries.AsSpan(0, Count);

    public void Add(in MapEntry entry) => _entries[Count++] = entry;

    internal void Reset() => Count = 0;
}

/// <summary>A few batches that go round, so that a scan never runs ahead of its reader by more than these.</summary>
public sealed class MapEntryPool : IDisposable
{
    internal const int Batches = 4;

    private readonly ConcurrentBag<MapEntryBatch> _free = [.. Enumerable.Range(0, Batches).Select(static _ => new MapEntryBatch())];
    private readonly SemaphoreSlim _available = new(Batches);

    /// <summary>An empty batch; waits until one is free.</summary>
    public MapEntryBatch Rent(CancellationToken cancellationToken)
    {
        _available.Wait(cancellationToken);
        _free.TryTake(out MapEntryBatch? batch);
        batch!.Reset();
        return batch;
    }

    public void Return(MapEntryBatch batch)
    {
        _free.Add(batch);
        _available.Release();
    }

    public void Dispose() => _available.Dispose();
}
