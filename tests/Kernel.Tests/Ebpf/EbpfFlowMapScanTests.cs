using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Sinks.MapCleaning.Ebpf;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Kernel.Tests.Ebpf;

public sealed class EbpfFlowMapScanTests : IDisposable
{
    private readonly BpfDirectory _bpffs = new();

    [Fact]
    public void Each_of_200000_entries_is_told_once()
    {
        using EbpfFlowMap map = MapOf.Filled(MapOf.Layout4, 512 * 1024, 200_000);
        for (int i = 0; i < 2; i++) // the second with the first one's buffers
        {
            (FlowMapScan scan, List<MapEntry> entries) = MapOf.ScanAll(map);
            Assert.Equal(new FlowMapScan(200_000, 0), scan);
            Assert.Equal(200_000, entries.Select(e => e.Key).Distinct().Count());
            Assert.All(entries, e => Assert.Equal(MapOf.Value, e.Value));
        }
    }

    [Fact]
    public void A_bucket_larger_than_the_buffer_makes_the_buffer_grow()
    {
        using EbpfFlowMap map = MapOf.Filled(MapOf.Layout4, 1024, 700); // some of the 1024 buckets surely have two or more
        map.RowsPerCall = 1;
        (FlowMapScan scan, List<MapEntry> entries) = MapOf.ScanAll(map);
        Assert.InRange(map.RowsPerCall, 2, 64);
        Assert.Equal(new FlowMapScan(700, 0), scan);
        Assert.Equal(700, entries.Select(e => e.Key).Distinct().Count());
    }

    [Fact]
    public void An_empty_map_tells_no_batch()
    {
        using EbpfFlowMap map = EbpfFlowMap.Create(MapOf.Layout4, 1, "cs_test");
        using MapEntryPool pool = new();
        Assert.Equal(default, map.Scan(pool, static _ => Assert.Fail("an empty batch"), TestContext.Current.CancellationToken));
        AssertComplete(pool);
    }

    [Fact]
    public void Evictions_during_a_scan_do_no_harm()
    {
        using EbpfFlowMap map = MapOf.Filled(MapOf.Layout4, 4096, 4096);
        using EbpfFlowMap writer = EbpfFlowMap.Open($"id:{map.Info.Id}", forDeleting: true);
        map.RowsPerCall = 64;
        uint written = 4096;
        bool stop = false;
        Exception? failure = null;
        Thread evicting = new(() => failure = Record.Exception(() =>
        {
            while (!Volatile.Read(ref stop))
                writer.Insert(MapOf.Key(Interlocked.Increment(ref written)), MapOf.Value);
        }));
        evicting.Start();
        for (int i = 0; i < 20; i++)
        {
            uint before = Volatile.Read(ref written);
            (FlowMapScan scan, List<MapEntry> entries) = MapOf.ScanAll(map);
            Assert.Equal(0, scan.Junk);
            Assert.Equal(entries.Count, entries.Select(e => e.Key).Distinct().Count());
            Assert.All(entries, e => Assert.Equal(MapOf.Value, e.Value));
            Eventually.True(() => Volatile.Read(ref written) > before);
        }

        Volatile.Write(ref stop, true);
        evicting.Join();
        Assert.Null(failure);
    }

    [Fact]
    public void A_scan_given_up_gives_its_batches_back()
    {
        using EbpfFlowMap map = MapOf.Filled(MapOf.Layout4, 8192, 5000);
        map.RowsPerCall = 1500;
        using MapEntryPool pool = new();
        using CancellationTokenSource stop = new();
        int batches = 0;
        Assert.ThrowsAny<OperationCanceledException>(() => map.Scan(pool, batch =>
        {
            batches++;
            pool.Return(batch);
            stop.Cancel();
        }, stop.Token));
        Assert.Equal(1, batches);
        AssertComplete(pool);

        Assert.Throws<TimeZoneNotFoundException>(() => map.Scan(pool, batch =>
        {
            pool.Return(batch);
            throw new TimeZoneNotFoundException("the receiver's own fault");
        }, TestContext.Current.CancellationToken));
        AssertComplete(pool);
    }

    [Fact]
    public void A_scan_of_a_map_that_was_recreated_meanwhile_breaks_off()
    {
        string pin = _bpffs.PathOf("map");
        using EbpfFlowMap first = MapOf.Filled(MapOf.Layout4, 8192, 5000), second = MapOf.Filled(MapOf.Layout4, 64, 1);
        first.Pin(pin);
        using EbpfFlowMap map = EbpfFlowMap.Open(pin, forDeleting: false);
        map.RowsPerCall = 1500;
        using MapEntryPool pool = new();
        FlowMapException broken = Assert.Throws<FlowMapException>(() => map.Scan(pool, batch =>
        {
            pool.Return(batch);
            File.Delete(pin);
            second.Pin(pin);
            Assert.True(map.Refresh());
        }, TestContext.Current.CancellationToken));
        Assert.Contains("recreated", broken.Message, StringComparison.Ordinal);
        AssertComplete(pool);
        Assert.Equal(new FlowMapScan(1, 0), MapOf.ScanAll(map).Scan);
    }

    public void Dispose() => _bpffs.Dispose();

    /// <summary>Every batch is in the pool: as many as it has can be rented without waiting.</summary>
    private static void AssertComplete(MapEntryPool pool)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(10));
        MapEntryBatch[] batches = [.. Enumerable.Range(0, 4).Select(_ => pool.Rent(limit.Token))];
        Assert.Equal(4, batches.Distinct().Count());
        Assert.All(batches, batch => Assert.Equal(0, batch.Count));
        Array.ForEach(batches, pool.Return);
    }
}
