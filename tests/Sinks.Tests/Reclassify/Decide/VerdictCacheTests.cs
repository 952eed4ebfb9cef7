using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Decide;

namespace ConntrackStream.Sinks.Tests.Reclassify.Decide;

public sealed class VerdictCacheTests
{
    [Fact]
    public void An_answer_stands_until_its_time_even_when_generations_turn()
    {
        VerdictCache cache = new(100);
        cache.Set(Question(1), Verdict.To("wan2", "x"), now: 29_000, until: 45_000);
        cache.Set(Question(2), Verdict.None, now: 31_000, until: 32_000);
        Assert.True(cache.TryGet(Question(1), 44_999, out Verdict verdict));
        Assert.Equal("wan2", verdict.Path);
        Assert.False(cache.TryGet(Question(1), 45_000, out _));
        Assert.True(cache.TryGet(Question(2), 31_999, out _));
        cache.Set(Question(3), Verdict.None, now: 62_000, until: 70_000);
        cache.Set(Question(4), Verdict.None, now: 93_000, until: 94_000);
        Assert.Equal(2, cache.Count); // 3 and 4: the first two are gone
    }

    [Fact]
    public void Is_bounded()
    {
        VerdictCache cache = new(10);
        for (uint i = 0; i < 100; i++)
        {
            cache.Set(Question(i), Verdict.None, now: 0, until: 1000);
            Assert.InRange(cache.Count, 1, 20);
            Assert.True(cache.TryGet(Question(i), now: 0, out _)); // the newest are what is looked up
        }
    }

    [Fact]
    public void Forgets_the_answers_about_given_addresses_only()
    {
        VerdictCache cache = new(100);
        for (uint i = 0; i < 10; i++)
            cache.Set(Question(i), Verdict.None, now: 0, until: 1000);
        cache.Forget(new AddressRanges([new AddressRange(FlowFamily.IPv4, new IpAddress(0, 3), new IpAddress(0, 5))]));
        Assert.Equal([3u, 4, 5], Enumerable.Range(0, 10).Select(static i => (uint)i).Where(i => !cache.TryGet(Question(i), 0, out _)));
    }

    private static FlowQuestion Question(uint destination) =>
        new(
            new FlowTuple { Family = FlowFamily.IPv4, Source = new IpAddress(0, 1000), Destination = new IpAddress(0, destination) },
            0,
            null);
}
