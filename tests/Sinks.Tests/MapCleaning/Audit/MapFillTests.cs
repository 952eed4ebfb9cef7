using ConntrackStream.Sinks.MapCleaning.Audit;

namespace ConntrackStream.Sinks.Tests.MapCleaning.Audit;

/// <summary>A map of 1000 entries that evicts from 900 on, with 500 entries and 10 flows begun at the last scan.</summary>
public sealed class MapFillTests
{
    private readonly MapFill _fill = new();

    public MapFillTests() => _fill.Remember(entries: 500, started: 10, epoch: 3);

    [Theory]
    [InlineData(900u, 900, 10, 3, "Evicted")] // far less than 95 % of the capacity
    [InlineData(900u, 899, 10, 3, "DeletedByOthers")]
    [InlineData(900u, 100, 209, 3, "DeletedByOthers")] // 199 flows with two keys each do not fill it
    [InlineData(900u, 100, 210, 3, "Unknown")]
    [InlineData(900u, 100, 10, 4, "Unknown")] // who knows how many events were lost
    [InlineData(null, 1000, 100_000, 4, "DeletedByOthers")] // a plain hash never evicts
    public void The_cause_of_a_loss(uint? evictsFrom, long entries, long started, ushort epoch, string cause) =>
        Assert.Equal(cause, _fill.CauseOf(evictsFrom, entries, started, epoch).ToString());

    [Fact]
    public void A_map_that_was_full_at_the_last_scan_may_have_evicted_since()
    {
        _fill.Remember(entries: 900, started: 10, epoch: 3);
        Assert.Equal(LossCause.Unknown, _fill.CauseOf(900, entries: 100, started: 10, epoch: 3));
    }
}
