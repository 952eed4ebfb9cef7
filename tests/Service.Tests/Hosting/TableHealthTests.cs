using ConntrackStream.Service.Hosting;
using ConntrackStream.Service.Metrics;
using ConntrackStream.Service.Options;
using Microsoft.Extensions.Logging;

namespace ConntrackStream.Service.Tests.Hosting;

public sealed class TableHealthTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly RecordingLogger _log = new();
    private readonly TableHealth _health;

    public TableHealthTests() => _health = new TableHealth(new TableHealthSettings(), _time, _log);

    [Fact]
    public void Warns_at_80_and_95_percent_and_says_when_it_is_over()
    {
        Assert.Empty(Observe(count: 799));
        Assert.Equal([(LogLevel.Warning, 4010)], Observe(count: 800));
        Assert.Equal([(LogLevel.Error, 4011)], Observe(count: 950)); // worse: at once
        Assert.Equal([(LogLevel.Information, 4012)], Observe(count: 700));
        Assert.Equal(TableFill.Normal, _health.Fill);
    }

    [Fact]
    public void Does_not_flap_around_a_limit()
    {
        Observe(count: 800);
        Assert.Empty(Observe(count: 790));
        Assert.Empty(Observe(count: 805));
        Assert.Equal(TableFill.Warning, _health.Fill);
    }

    [Fact]
    public void Repeats_a_warning_after_five_minutes_only()
    {
        Assert.Single(Observe(count: 850));
        _time.Advance(TimeSpan.FromMinutes(4.9));
        Assert.Empty(Observe(count: 860));
        _time.Advance(TimeSpan.FromMinutes(0.2));
        Assert.Equal([(LogLevel.Warning, 4010)], Observe(count: 870));
    }

    [Fact]
    public void What_was_lost_before_the_first_look_is_not_told() => Assert.Empty(Observe(drop: 1000, earlyDrop: 10, insertFailed: 5));

    /// <summary>Control: the same sums of one namespace are a loss.</summary>
    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    public void What_another_namespace_has_lost_so_far_is_not_told(int @namespace, int warnings)
    {
        Observe(earlyDrop: 5);
        _health.Observe(new TableSample(0, 1000, 0, 0, EarlyDrop: 500, @namespace));
        Assert.Equal(warnings, _log.Entries.Count(static entry => entry.Id == 4015));
    }

    [Fact]
    public void Growing_drops_in_a_full_table_are_named_as_that()
    {
        Observe(count: 1000);
        _health.Observe(new TableSample(1000, 1000, Drop: 7, 0, 0));
        (LogLevel level, int id, string message) = _log.Entries[^1];
        Assert.Equal((LogLevel.Error, 4013), (level, id));
        Assert.Equal("Table full: the kernel is dropping new connections (7 packets since the last report, 1000 of 1000 entries)", message);
    }

    [Fact]
    public void Drops_without_a_full_table_are_another_thing()
    {
        Observe();
        Assert.Equal([(LogLevel.Warning, 4014)], Observe(drop: 1));
    }

    [Fact]
    public void Each_loss_has_its_own_limit_and_tells_all_since_the_last_report()
    {
        Observe();
        Assert.Equal([(LogLevel.Warning, 4015), (LogLevel.Warning, 4016)], Observe(earlyDrop: 2, insertFailed: 3));
        Assert.Empty(Observe(earlyDrop: 5, insertFailed: 3));
        _time.Advance(TimeSpan.FromMinutes(5));
        _health.Observe(new TableSample(0, 1000, 0, InsertFailed: 3, EarlyDrop: 9));
        Assert.Contains("evicted 7 flows", Assert.Single(_log.Take()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Counters_that_begin_anew_are_no_loss()
    {
        Observe(drop: 100);
        Assert.Empty(Observe(drop: 10));
        Assert.Equal([(LogLevel.Warning, 4014)], Observe(drop: 11));
    }

    private IEnumerable<(LogLevel, int)> Observe(long count = 0, long drop = 0, long insertFailed = 0, long earlyDrop = 0)
    {
        _health.Observe(new TableSample(count, 1000, drop, insertFailed, earlyDrop));
        return _log.Take().Select(static entry => (entry.Level, entry.Id)).ToList();
    }
}
