using ConntrackStream.Kernel.Tests.Delete;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Sinks.MapCleaning.Delete;
using ConntrackStream.Sinks.MapCleaning.Ebpf;

namespace ConntrackStream.Kernel.Tests.Ebpf;

/// <summary>When the kernel evicts entries of a real LRU map, and what is made of it.</summary>
public sealed class LruEvictionTests
{
    private const int FewPercent = 95; // a map is not full from here on, but from much less

    [Theory]
    [InlineData(64u)]
    [InlineData(512u)]
    [InlineData(2048u)]
    public void A_full_map_hovers_above_where_the_kernel_begins_to_evict(uint capacity)
    {
        Requirements.Root();
        using EbpfFlowMap map = EbpfFlowMap.Create(MapOf.Layout4, capacity, "cs_test");
        uint evictsFrom = Assert.NotNull(map.Info.EvictsFrom);
        Assert.InRange(evictsFrom, 1u, capacity - 1);
        for (uint i = 0; i < evictsFrom; i++)
            map.Insert(MapOf.Key(i), MapOf.Value);
        Assert.Equal(evictsFrom, Count(map)); // none of them is gone

        for (uint i = evictsFrom; i < capacity; i++)
            map.Insert(MapOf.Key(i), MapOf.Value);
        long least = long.MaxValue, most = 0;
        for (uint i = capacity; i < capacity + 400; i++) // more than a batch for each CPU, wherever this thread runs
        {
            map.Insert(MapOf.Key(i), MapOf.Value);
            long count = Count(map);
            (least, most) = (Math.Min(least, count), Math.Max(most, count));
        }

        Assert.InRange(least, evictsFrom, capacity);
        Assert.InRange(most, least, capacity);
        if (capacity == 512)
            Assert.InRange(least, 0, capacity * FewPercent / 100);
    }

    [Fact]
    public async Task Entries_that_the_kernel_evicts_are_no_cleaners_doing()
    {
        const uint Capacity = 2048;
        using GateRig gate = new();
        string pin = Path.Combine(Path.GetDirectoryName(gate.Pin)!, "small");
        using EbpfFlowMap map = EbpfFlowMap.Create(MapOf.Layout4, Capacity, "cs_test");
        map.Pin(pin);
        GateConnection alive = gate.Tcp(40_000);
        OneCpu.Run(() => map.Insert(alive.Key, MapOf.Value)); // on the lists of a CPU that inserts no more it might outlast all others
        await using CleaningRig rig = new(gate.Node, pin, static options => options with { Mode = MapMode.Observe });
        await rig.StartAsync();

        uint filled = 0;
        OneCpu.Run(() =>
        {
            while (filled < 100 * Capacity && map.TryLookup(alive.Key, out _)) // a look does not count as use
                map.Insert(MapOf.Key(filled++), MapOf.Value);
        });
        Assert.InRange(filled, map.Info.EvictsFrom!.Value - 1, (100 * Capacity) - 1);
        await rig.AuditAsync();
        Assert.Equal((1, 0, 0), (rig.Counters.Evicted, rig.Counters.DeletedByOthers, rig.Counters.LostUnknown));
    }

    private static long Count(EbpfFlowMap map) => MapOf.ScanAll(map).Scan.Entries;
}
