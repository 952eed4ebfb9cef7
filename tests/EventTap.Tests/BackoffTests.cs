namespace ConntrackStream.EventTap.Tests;

public class BackoffTests
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(1), Longest = TimeSpan.FromSeconds(30);

    [Fact]
    public void Waits_double_up_to_the_longest_and_begin_again_after_a_success()
    {
        Backoff backoff = new(First, Longest);
        Assert.Equal([1, 2, 4, 8, 16, 30, 30], Seconds(backoff, 7));
        backoff.Reset();
        Assert.Equal([1, 2], Seconds(backoff, 2));
    }

    [Theory]
    [InlineData(0.0, new[] { 1, 1.5, 3 })]
    [InlineData(0.5, new[] { 1.0, 2, 4 })]
    [InlineData(0.75, new[] { 1.125, 2.25, 4.5 })]
    public void Jitter_makes_no_wait_shorter_than_the_shortest(double drawn, double[] expected)
    {
        Backoff backoff = new(First, Longest) { Jitter = 0.25, Shortest = First, Random = new FixedRandom(drawn) };
        Assert.Equal(expected, Seconds(backoff, 3));
    }

    private static double[] Seconds(Backoff backoff, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => backoff.Next().TotalSeconds)];
}
