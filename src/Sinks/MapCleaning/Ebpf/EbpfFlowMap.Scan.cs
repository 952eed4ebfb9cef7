using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.MapCleaning.Ebpf;

public sealed partial class EbpfFlowMap
{
    // Used by the one scan that may run, and kept for the next.
    private byte[] _keys = [], _values = [];

    /// <summary>Entries asked for in one call; grows when a bucket of the map has more.</summary>
    internal int RowsPerCall { get; set; } = 4096;

    public FlowMapScan Scan(MapEntryPool pool, Action<MapEntryBatch> onBatch, CancellationToken cancellationToken)
    {
        OpenedMap map = _map;
        bool held = false;
        map.Handle.DangerousAddRef(ref held); // Refresh and Dispose close it on another thread only once this one is done
        ScanWriter writer = new(map.Layout, pool, onBatch, cancellationToken);
        try
        {
            ScanBuckets(map, ref writer, cancellationToken);
            writer.Flush();
            return new FlowMapScan(writer.Entries, writer.Junk);
        }
        finally
        {
            writer.GiveBack();
            map.Handle.DangerousRelease();
        }
    }

    private void ScanBuckets(OpenedMap map, ref ScanWriter writer, CancellationToken cancellationToken)
    {
        uint bucket = 0;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!ReferenceEquals(map, _map))
                throw new FlowMapException(
                    $"reading the entries of {map.Info.Source} (map id {map.Info.Id})", Errno.None, "the map was recreated meanwhile");
            MakeRoom(map.Layout);
            int count = RowsPerCall;
            Errno errno = Bpf.LookupBatch(map.Handle, ref bucket, _keys, _values, ref count);
            if (errno == Errno.ENOSPC && RowsPerCall < map.Info.Capacity)
            {
                RowsPerCall = (int)Math.Min(2L * RowsPerCall, map.Info.Capacity); // the bucket has more entries than there is room for
                continue;
            }

            if (errno is not (Errno.None or Errno.ENOENT))
                throw Failed(map, "reading", errno);
            writer.Write(_keys, _values, count);
            if (errno == Errno.ENOENT)
                return;
        }
    }

    private void MakeRoom(MapLayout layout)
    {
        if (_keys.Length < RowsPerCall * layout.KeySize)
            _keys = GC.AllocateUninitializedArray<byte>(RowsPerCall * layout.KeySize);
        if (_values.Length < RowsPerCall * layout.ValueSize)
            _values = GC.AllocateUninitializedArray<byte>(RowsPerCall * layout.ValueSize);
    }
}
