using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Sinks.MapCleaning.Ebpf;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Kernel.Tests.Ebpf;

/// <summary>Entries of real maps: written, found, taken and put back.</summary>
public sealed class EbpfFlowMapTests : IDisposable
{
    // MapOf.Key(0) in the layout MapOf.Layout4: src_ip, src_port, padding, dest_ip, dest_port, protocol, padding, owner_ip, ifindex
    private const string FirstKey = "0a010000 0104 0000 0a000002 5000 06 00 0a010000 07000000";
    private const string FirstKeyDirty = "0a010000 0104 0100 0a000002 5000 06 00 0a010000 07000000";
    private const string FirstValue = "0100000000000000 15cd5b0700000000"; // val, last_seen

    private readonly BpfDirectory _bpffs = new();
    private readonly string _pin;

    public EbpfFlowMapTests()
    {
        Requirements.Tool("bpftool");
        _pin = _bpffs.PathOf("map");
    }

    public static TheoryData<string> Layouts { get; } = [.. MapLayouts.Known.All.Select(layout => layout.Name)];

    [Theory]
    [MemberData(nameof(Layouts))]
    public void A_map_of_each_layout_is_known_again_and_keeps_entries(string name)
    {
        MapLayout layout = MapLayouts.Known.Named(name);
        bool ipv6 = layout.Family == EventTap.Model.FlowFamily.IPv6;
        MapKey key = MapOf.Key(1, ipv6, layout.HasInterfaceIndex ? 7u : 0);
        MapValue value = layout.HasLastSeen ? MapOf.Value : new MapValue(1, 0);
        using EbpfFlowMap made = EbpfFlowMap.Create(name, 64, "cs_test");
        made.Pin(_pin);
        made.Insert(key, value);

        using EbpfFlowMap map = EbpfFlowMap.Open(_pin, forDeleting: true);
        FlowMapInfo expected = new(
            made.Info.Id, _pin, "cs_test", name, 64, ipv6, layout.HasInterfaceIndex, layout.HasLastSeen, IsWritable: true);
        Assert.Equal(expected with { EvictsFrom = made.Info.EvictsFrom }, map.Info);
        Assert.InRange(map.Info.EvictsFrom ?? 0, 1u, 64u);
        Assert.True(map.TryLookup(key, out MapValue found));
        Assert.Equal(value, found);
        Assert.Equal([new MapEntry(key, value)], MapOf.ScanAll(map).Entries);
        Assert.True(map.TryTake(key, out MapValue taken));
        Assert.Equal(value, taken);
        Assert.False(map.TryLookup(key, out _));

        using EbpfFlowMap byId = EbpfFlowMap.Open($"id:{made.Info.Id}", forDeleting: false);
        Assert.Equal(made.Info with { IsWritable = false }, byId.Info);
        Assert.False(byId.Refresh());
    }

    [Fact]
    public void Entries_are_what_bpftool_reads_and_writes()
    {
        using EbpfFlowMap map = MapOf.Filled(MapOf.Layout4, 64, 1);
        map.Pin(_pin);
        KeyValuePair<string, string> entry = Assert.Single(MapOf.Bpftool(_pin));
        Assert.Equal((Compact(FirstKey), Compact(FirstValue)), (entry.Key, entry.Value));
        Assert.True(map.TryTake(MapOf.Key(0), out _));
        Assert.Empty(MapOf.Bpftool(_pin));
        MapOf.Bpftool(_pin, FirstKey, FirstValue);
        Assert.True(map.TryLookup(MapOf.Key(0), out MapValue value));
        Assert.Equal(MapOf.Value, value);
    }

    [Fact]
    public void To_the_kernel_a_key_with_dirty_padding_is_another_key()
    {
        using EbpfFlowMap map = EbpfFlowMap.Create(MapOf.Layout4, 64, "cs_test");
        map.Pin(_pin);
        MapOf.Bpftool(_pin, FirstKeyDirty, FirstValue);
        Assert.False(map.TryLookup(MapOf.Key(0), out _)); // so would a lookup that leaves padding as it is
        Assert.False(map.TryTake(MapOf.Key(0), out _));
        Assert.Equal(new FlowMapScan(0, Junk: 1), MapOf.ScanAll(map).Scan);
        MapOf.Bpftool(_pin, FirstKey, FirstValue);
        Assert.True(map.TryTake(MapOf.Key(0), out _));
        Assert.Equal(Compact(FirstKeyDirty), Assert.Single(MapOf.Bpftool(_pin)).Key); // junk is left alone
    }

    [Fact]
    public void Junk_is_skipped_and_counted()
    {
        using EbpfFlowMap map = MapOf.Filled(MapOf.Layout4, 64, 3);
        map.Pin(_pin);
        MapOf.Bpftool(_pin, FirstKeyDirty, FirstValue);
        MapOf.Bpftool(_pin, FirstKey.Replace("06 00 0a01", "06 00 0b01", StringComparison.Ordinal), FirstValue); // a stranger owns it
        MapOf.Bpftool(_pin, FirstKey.Replace("5000 06", "5000 01", StringComparison.Ordinal), FirstValue); // ICMP with ports
        (FlowMapScan scan, List<MapEntry> entries) = MapOf.ScanAll(map);
        Assert.Equal(new FlowMapScan(3, 3), scan);
        Assert.Equal(Enumerable.Range(0, 3).Select(i => MapOf.Key((uint)i)), entries.Select(e => e.Key).OrderBy(k => k.Tuple.Source.Low));
    }

    [Fact]
    public void What_is_taken_can_be_put_back_unless_there_is_one_again()
    {
        using EbpfFlowMap map = MapOf.Filled(MapOf.Layout4, 64, 2);
        MapKey key = MapOf.Key(1);
        Assert.True(map.TryTake(key, out MapValue taken));
        Assert.False(map.TryTake(key, out MapValue nothing));
        Assert.Equal(default, nothing);
        Assert.True(map.TryRestore(key, taken));
        Assert.True(map.TryLookup(key, out MapValue back));
        Assert.Equal(MapOf.Value, back);

        MapValue newer = new(1, 999);
        map.Insert(key, newer); // the datapath has made it anew
        Assert.False(map.TryRestore(key, taken));
        Assert.True(map.TryLookup(key, out MapValue kept));
        Assert.Equal(newer, kept);
    }

    [Fact]
    public void A_map_opened_for_reading_cannot_be_changed()
    {
        using EbpfFlowMap made = MapOf.Filled(MapOf.Layout4, 64, 1);
        made.Pin(_pin);
        foreach (string source in new[] { _pin, $"id:{made.Info.Id}" })
        {
            using EbpfFlowMap map = EbpfFlowMap.Open(source, forDeleting: false);
            Assert.False(map.Info.IsWritable);
            Assert.True(map.TryLookup(MapOf.Key(0), out _));
            Assert.Equal(new FlowMapScan(1, 0), MapOf.ScanAll(map).Scan);
            FlowMapException refusal = Assert.Throws<FlowMapException>(() => map.TryTake(MapOf.Key(0), out _));
            Assert.Equal(Errno.EPERM, refusal.Errno);
            Assert.Contains("reading only", refusal.Message, StringComparison.Ordinal);
            Assert.Equal(Errno.EPERM, Assert.Throws<FlowMapException>(() => map.TryRestore(MapOf.Key(1), MapOf.Value)).Errno);
        }

        Assert.True(made.TryLookup(MapOf.Key(0), out _));
    }

    [Fact]
    public void Calls_allocate_nothing()
    {
        using EbpfFlowMap map = MapOf.Filled(MapOf.Layout4, 64, 1);
        TakeAndRestore(map);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
            TakeAndRestore(map);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Looking_up_does_not_save_an_entry_from_eviction_as_writing_does()
    {
        const uint capacity = 4096, watched = 256;
        Assert.Equal(0, Survivors(static (map, key) => map.TryLookup(key, out _)));
        Assert.Equal((int)watched, Survivors(static (map, key) =>
        {
            bool alive = map.TryLookup(key, out _);
            map.Insert(key, MapOf.Value);
            return alive;
        }));

        // Watched entries that were there each time, while four times the map's capacity was written.
        static int Survivors(Func<EbpfFlowMap, MapKey, bool> use)
        {
            using EbpfFlowMap map = MapOf.Filled(MapOf.Layout4, capacity, watched);
            HashSet<uint> alive = [.. Enumerable.Range(0, (int)watched).Select(i => (uint)i)];
            for (uint i = 0; i < 4 * capacity; i++)
            {
                if (i % watched == 0)
                    alive.RemoveWhere(number => !use(map, MapOf.Key(number)));
                map.Insert(MapOf.Key(watched + i), MapOf.Value);
            }

            return alive.Count;
        }
    }

    public void Dispose() => _bpffs.Dispose();

    private static void TakeAndRestore(EbpfFlowMap map)
    {
        map.TryLookup(MapOf.Key(0), out _);
        map.TryTake(MapOf.Key(0), out MapValue value);
        map.TryLookup(MapOf.Key(0), out _);
        map.TryRestore(MapOf.Key(0), value);
        map.TryRestore(MapOf.Key(0), value);
    }

    private static string Compact(string hex) => hex.Replace(" ", "", StringComparison.Ordinal);
}
