using ConntrackStream.Service.Options;

namespace ConntrackStream.Service.Tests.Options;

public sealed class DurationTextTests
{
    [Theory]
    [InlineData("00:02:30", 150_000)]
    [InlineData("1.00:00:00", 86_400_000)]
    [InlineData("150s", 150_000)]
    [InlineData("5m", 300_000)]
    [InlineData("2h", 7_200_000)]
    [InlineData("1d", 86_400_000)]
    [InlineData("250ms", 250)]
    [InlineData("1.5 s", 1_500)]
    [InlineData("0s", 0)]
    [InlineData("0", 0)]
    public void Reads(string text, long milliseconds)
    {
        Assert.True(DurationText.TryParse(text, out TimeSpan duration));
        Assert.Equal(milliseconds, duration.TotalMilliseconds);
    }

    [Theory]
    [InlineData("")]
    [InlineData("150")] // TimeSpan.Parse would take 150 days
    [InlineData("s")]
    [InlineData("-5s")]
    [InlineData("-00:00:05")]
    [InlineData("5 parsecs")]
    [InlineData("1e3s")]
    [InlineData("99999999999999999999d")]
    public void Refuses(string text) => Assert.False(DurationText.TryParse(text, out _));
}
