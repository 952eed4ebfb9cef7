using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.MapCleaning.Absence;
using ConntrackStream.Sinks.MapCleaning.Delete;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.Tests.MapCleaning.Absence;

public sealed class UntrackedGroupsTests
{
    private const int Threshold = 4;

    private static readonly MapGroup Dns = new(IpProtocol.Udp, FlowFamily.IPv4, new IpAddress(0, 0x0a00_0001), 53);

    private readonly UntrackedGroups _groups = new(Threshold);

    [Fact]
    public void Many_keys_without_a_flow_are_exempt()
    {
        Scan(missed: Threshold - 1);
        Assert.False(_groups.IsExempt(Dns));
        Scan(missed: Threshold);
        Assert.True(_groups.IsExempt(Dns));
    }

    [Theory]
    [InlineData(Threshold, 0, false)]
    [InlineData(100, 0, false)]
    [InlineData(100, 1, true)] // something uses it still
    public void Keys_that_are_all_old_are_not_traffic_under_notrack(int old, int used, bool isExempt)
    {
        for (int i = 0; i < old; i++)
            _groups.Miss(Dns, isOld: true);
        Scan(missed: used);
        Assert.Equal(isExempt, _groups.IsExempt(Dns));
    }

    [Fact]
    public void What_has_matched_is_remembered_by_another_process()
    {
        _groups.Match(Dns);
        _groups.Commit();
        UntrackedGroups next = new(Threshold);
        next.Restore(_groups.ToMemory());
        Assert.False(IsExemptAfter(next, scans: 3));
        Assert.True(IsExemptAfter(new UntrackedGroups(Threshold), scans: 1)); // without it
    }

    [Fact]
    public void What_has_matched_long_ago_is_handed_on_as_well()
    {
        _groups.Match(Dns);
        _groups.Commit();
        Scan(missed: Threshold); // known from earlier, no flow any more
        Scan(missed: Threshold);
        UntrackedGroups next = new(Threshold);
        next.Restore(_groups.ToMemory());
        Assert.False(IsExemptAfter(next, scans: 1));
    }

    [Fact]
    public void A_group_without_a_key_is_forgotten()
    {
        _groups.Match(Dns);
        _groups.Commit();
        _groups.Commit();
        Assert.Empty(_groups.ToMemory().Hashes);
    }

    [Fact]
    public void More_than_are_kept_are_those_that_matched_last()
    {
        _groups.Match(Dns);
        _groups.Commit();
        _groups.Miss(Dns, isOld: false); // from now on remembered only
        for (int i = 0; i < MatchedGroups.MostGroups; i++)
            _groups.Match(Dns with { Destination = new IpAddress(1, (ulong)i) });
        _groups.Commit();
        MatchedGroups memory = _groups.ToMemory();
        Assert.Equal(MatchedGroups.MostGroups, memory.Hashes.Count);
        UntrackedGroups next = new(Threshold);
        next.Restore(memory);
        Assert.True(IsExemptAfter(next, scans: 1));
    }

    [Fact]
    public void Another_map_makes_it_forget()
    {
        _groups.Match(Dns);
        _groups.Commit();
        _groups.Void();
        Assert.Empty(_groups.ToMemory().Hashes);
        Assert.True(IsExemptAfter(_groups, scans: 1));
    }

    private void Scan(int missed)
    {
        for (int i = 0; i < missed; i++)
            _groups.Miss(Dns, isOld: false);
        _groups.Commit();
    }

    private static bool IsExemptAfter(UntrackedGroups groups, int scans)
    {
        for (int scan = 0; scan < scans; scan++)
        {
            for (int i = 0; i < Threshold; i++)
                groups.Miss(Dns, isOld: false);
            groups.Commit();
        }

        return groups.IsExempt(Dns);
    }
}
