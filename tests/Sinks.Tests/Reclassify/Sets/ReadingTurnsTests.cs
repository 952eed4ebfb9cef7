using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Sets.Model;
using ConntrackStream.Sinks.Reclassify.Sets.Reading;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Sinks.Tests.Reclassify.Sets;

public sealed class ReadingTurnsTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private readonly FakeTimeProvider _time = new();
    private readonly Mirror _mirror;

    public ReadingTurnsTests() => _mirror = new Mirror(_time, NullLogger.Instance);

    [Theory]
    [InlineData(1, false, 20)]
    [InlineData(1, true, 20)]
    [InlineData(16, false, 20)] // all together
    [InlineData(4, true, 5)] // a twentieth each
    [InlineData(16, true, 4)] // not each its own twentieth
    public void Reading_takes_its_share_of_the_time(int sets, bool isChanging, int share)
    {
        SlowSet[] sources = Sets(sets, isChanging);
        Pass(sources, Hour);
        TimeSpan spent = TimeSpan.FromTicks(sources.Sum(source => source.Readings * SlowSet.Took.Ticks));
        Assert.InRange(spent / Hour, 0.9 / share, 1.06 / share);
    }

    [Fact]
    public void Sets_that_change_all_the_time_take_turns()
    {
        SlowSet[] sources = Sets(16, isChanging: true);
        Pass(sources, Hour);
        Assert.InRange(sources.Min(source => source.Readings), sources.Max(source => source.Readings) - 1, int.MaxValue);
    }

    [Fact]
    public void Every_set_is_read_at_first_without_a_rest()
    {
        SlowSet[] sources = Sets(16, isChanging: true);
        Pass(sources, 16 * SlowSet.Took);
        Assert.All(sources, static source => Assert.Equal(1, source.Readings));
    }

    [Fact]
    public void A_demanded_set_is_read_when_its_rest_is_over()
    {
        SlowSet[] sources = Sets(1, isChanging: false, isNotified: true);
        ReadingTurns turns = new(sources, _time, TimeSpan.FromSeconds(1));
        using SetLink link = new(NetworkNamespace.Current);
        Assert.True(turns.Take(link, out _));
        Assert.False(turns.Take(link, out TimeSpan idle));
        Assert.Equal(Timeout.InfiniteTimeSpan, idle);
        turns.Demand(sources[0]);
        Assert.False(turns.Take(link, out idle));
        Assert.Equal(19 * SlowSet.Took, idle);
        _time.Advance(idle);
        Assert.True(turns.Take(link, out _));
        Assert.Equal(2, sources[0].Readings);
    }

    private SlowSet[] Sets(int count, bool isChanging, bool isNotified = false) =>
        [.. Enumerable.Range(0, count).Select(i => new SlowSet($"s{i}", _mirror, _time, isChanging, isNotified))];

    private void Pass(SlowSet[] sources, TimeSpan length)
    {
        ReadingTurns turns = new(sources, _time, TimeSpan.FromSeconds(1));
        using SetLink link = new(NetworkNamespace.Current);
        long began = _time.GetTimestamp();
        while (_time.GetElapsedTime(began) < length)
        {
            if (!turns.Take(link, out TimeSpan idle))
                _time.Advance(idle);
        }
    }

    private sealed class SlowSet(string name, Mirror mirror, FakeTimeProvider time, bool isChanging, bool isNotified)
        : SetSource(SetName.Ipset(name), mirror)
    {
        internal static readonly TimeSpan Took = TimeSpan.FromMilliseconds(60); // 100,000 members

        internal int Readings { get; private set; }

        internal override bool IsNotified => isNotified;

        internal override Errno Test(SetLink link, in FlowQuestion question, SetDirections directions, ref TimeSpan? left) => Errno.ENOENT;

        protected override void ReadCore(SetLink link)
        {
            Readings++;
            time.Advance(Took);
        }

        protected override bool HasChangedCore(SetLink link) => isChanging;
    }
}
