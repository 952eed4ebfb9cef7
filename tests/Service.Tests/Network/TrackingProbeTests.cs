using ConntrackStream.Service.Network;

namespace ConntrackStream.Service.Tests.Network;

public sealed class TrackingProbeTests
{
    private const string Obstacle = "127.0.0.1: Network is unreachable";

    [Theory]
    [InlineData(2, 2, 0, 2, "IPv4 and IPv6 are tracked")]
    [InlineData(2, 1, 0, 2, "IPv4 is tracked, IPv6 is not")]
    [InlineData(1, 2, 5, 2, "IPv6 is tracked, IPv4 is not")]
    [InlineData(2, 0, 0, 2, "IPv6 could not be tried: " + Obstacle)]
    [InlineData(0, 2, 0, 2, "IPv4 could not be tried: " + Obstacle)]
    [InlineData(1, 1, 0, 1, "--track")]
    [InlineData(1, 0, 0, 1, "--track")]
    [InlineData(1, 1, 7, 0, "holds 7 entries")]
    [InlineData(0, 0, 0, 0, Obstacle)]
    [InlineData(1, 1, 83, 0, "NOTRACK")]
    [InlineData(1, 1, 100, 0, "the table is full (100 of 100 entries)")]
    [InlineData(0, 0, 98, 0, "the table is full (98 of 100 entries)")]
    [InlineData(2, 2, 100, 2, "IPv4 and IPv6 are tracked")]
    public void The_two_families_and_the_table_are_judged_together(int ipv4, int ipv6, long entries, int state, string reason)
    {
        bool hasObstacle = ipv4 == (int)TrackingState.Unknown || ipv6 == (int)TrackingState.Unknown;
        TrackingReport report = TrackingProbe.Describe(
            (TrackingState)ipv4, (TrackingState)ipv6, hasObstacle ? Obstacle : null, entries, max: 100);

        Assert.Equal((TrackingState)state, report.State);
        Assert.Contains(reason, report.Reason, StringComparison.Ordinal);
        Assert.Equal(reason.Contains("is full", StringComparison.Ordinal), report.IsFull);
    }
    [Fact]
    public void A_table_without_a_bound_is_never_full() =>
        Assert.False(TrackingProbe.Describe(TrackingState.Inactive, TrackingState.Inactive, obstacle: null, entries: 7, max: 0).IsFull);
}
