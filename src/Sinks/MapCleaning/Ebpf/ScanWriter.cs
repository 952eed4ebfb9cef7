using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.MapCleaning.Ebpf;

/// <summary>Decodes the rows of a scan into pooled batches. It owns the batch it fills, and passes it on when full.</summary>
internal struct ScanWriter(MapLayout layout, MapEntryPool pool, Action<MapEntryBatch> onBatch, CancellationToken cancellationToken)
{
    private MapEntryBatch? _batch;

    public long Entries { get; private set; }

    public long Junk { get; private set; }

    public void Write(ReadOnlySpan<byte> keys, ReadOnlySpan<byte> values, int count)
    {
        for (int row = 0; row < count; row++)
        {
            if (!layout.TryDecode(keys.Slice(row * layout.KeySize, layout.KeySize), out MapKey key))
            {
                Junk++;
                continue;
            }

            _batch ??= pool.Rent(cancellationToken);
            _batch.Add(new MapEntry(key, layout.DecodeValue(values.Slice(row * layout.ValueSize, layout.ValueSize))));
            Entries++;
            if (_batch.IsFull)
                Flush();
        }
    }

    public void Flush()
    {
        if (_batch is not { } full)
            return;
        _batch = null; // the receiver's from here on, also when it throws
        onBatch(full);
    }

    public void GiveBack()
    {
        if (_batch is { } unfinished)
            pool.Return(unfinished);
        _batch = null;
    }
}
