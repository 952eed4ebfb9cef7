using ConntrackStream.Sinks.MapCleaning.Ebpf;

namespace ConntrackStream.Sinks.Tests.MapCleaning.Ebpf;

public sealed class LruRoomTests
{
    [Theory]
    [InlineData(65_536, 2, 2, 65_280)] // 128 for each CPU
    [InlineData(524_288, 96, 96, 512_000)]
    [InlineData(524_288, 128, 2, 524_032)] // of 128 possible CPUs two are there to take batches
    [InlineData(1024, 8, 8, 512)] // a small map's batches are smaller: half of a CPU's share
    [InlineData(16, 16, 16, 1)]
    [InlineData(8, 16, 16, 1)]
    public void A_full_map_lacks_a_batch_for_each_cpu(uint capacity, int possible, int online, uint evictsFrom) =>
        Assert.Equal(evictsFrom, LruRoom.EvictsFrom(capacity, possible, online, isCommon: true));

    [Fact]
    public void A_cpu_with_a_list_of_its_own_evicts_when_its_share_is_used() =>
        Assert.Equal(256u, LruRoom.EvictsFrom(1024, possible: 4, online: 4, isCommon: false));

    [Fact]
    public void A_plain_hash_never_evicts() =>
        Assert.Null(LruRoom.EvictsFrom(new BpfMapInfo { Type = BpfMapType.hash, MaxEntries = 1024 }));

    [Theory]
    [InlineData("0", 1)]
    [InlineData("0-1\n", 2)]
    [InlineData("0-3,8,10-11", 7)]
    public void Lists_of_cpus_are_counted(string list, int count) => Assert.Equal(count, LruRoom.CountIn(list));
}
