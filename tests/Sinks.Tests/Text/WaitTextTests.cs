using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.Tests.Text;

public sealed class WaitTextTests
{
    [Theory]
    [InlineData(0, "at once")]
    [InlineData(0.4, "at once")]
    [InlineData(1, "in 1 ms")]
    [InlineData(999.4, "in 999 ms")]
    [InlineData(999.6, "in 1 s")]
    [InlineData(1540, "in 1.5 s")]
    [InlineData(30_000, "in 30 s")]
    public void A_short_wait_is_not_rounded_to_0_seconds(double milliseconds, string text) =>
        Assert.Equal(text, WaitText.Of(TimeSpan.FromMilliseconds(milliseconds)));
}
