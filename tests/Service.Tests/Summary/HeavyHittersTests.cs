using ConntrackStream.Service.Summary;

namespace ConntrackStream.Service.Tests.Summary;

public sealed class HeavyHittersTests
{
    [Fact]
    public void It_is_exact_while_every_key_has_a_counter()
    {
        HeavyHitters<int> hitters = new(5);
        for (int key = 1; key <= 10; key++)
        {
            for (int i = 0; i < key; i++)
                hitters.Add(key, 3);
        }

        Assert.True(hitters.IsExact);
        Assert.Equal(
            [new HeavyHitter<int>(10, 30, 0), new HeavyHitter<int>(9, 27, 0), new HeavyHitter<int>(8, 24, 0)], hitters.Top(3));
    }

    [Fact]
    public void Of_more_keys_the_lighter_half_is_forgotten_also_if_all_are_alike()
    {
        HeavyHitters<int> hitters = new(2);
        for (int key = 1; key <= 5; key++)
            hitters.Add(key, 7);
        Assert.False(hitters.IsExact);
        Assert.Equal(2, hitters.Count);
        hitters.Add(6, 1);
        Assert.Equal(new HeavyHitter<int>(6, 8, 7), hitters.Top(1)[0]);
    }

    [Fact]
    public void A_weight_of_nothing_takes_no_counter()
    {
        HeavyHitters<int> hitters = new(1);
        hitters.Add(1, 0);
        Assert.Equal(0, hitters.Count);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Beyond_that_no_weight_is_wrong_by_more_than_it_says_and_no_heavy_key_is_missing(int seed)
    {
        const int Counters = 64;
        Random random = new(seed);
        Dictionary<int, ulong> truth = [];
        HeavyHitters<int> hitters = new(Counters);
        ulong all = 0;
        for (int i = 0; i < 50_000; i++)
        {
            int key = (int)Math.Pow(5_000, random.NextDouble()); // few keys have most of the weight
            ulong weight = (ulong)random.Next(1, 2_000);
            truth[key] = truth.GetValueOrDefault(key) + weight;
            hitters.Add(key, weight);
            all += weight;
        }

        IReadOnlyList<HeavyHitter<int>> top = hitters.Top(2 * Counters);
        Assert.False(hitters.IsExact);
        Assert.InRange(top.Count, Counters, 2 * Counters);
        Assert.All(top, one =>
        {
            Assert.InRange(truth[one.Key], one.Weight - one.Error, one.Weight);
            Assert.InRange(one.Error, 0UL, all / Counters);
        });
        ulong[] weights = [.. top.Select(static one => one.Weight)];
        Assert.Equal(weights.OrderDescending(), weights);
        int[] heavy = [.. truth.Where(one => one.Value > all / Counters).Select(static one => one.Key)];
        Assert.NotEmpty(heavy);
        Assert.Subset(top.Select(static one => one.Key).ToHashSet(), heavy.ToHashSet());
    }
}
