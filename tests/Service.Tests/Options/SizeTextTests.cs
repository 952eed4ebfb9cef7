using ConntrackStream.Service.Options;

namespace ConntrackStream.Service.Tests.Options;

public sealed class SizeTextTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("4096", 4096)]
    [InlineData("64MiB", 64L << 20)]
    [InlineData("64mib", 64L << 20)]
    [InlineData("1.5 KiB", 1536)]
    [InlineData("2GB", 2_000_000_000)]
    [InlineData("10kB", 10_000)]
    [InlineData("17B", 17)]
    public void Reads(string text, long bytes)
    {
        Assert.True(SizeText.TryParse(text, out long parsed));
        Assert.Equal(bytes, parsed);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1.5")]
    [InlineData("-1")]
    [InlineData("MiB")]
    [InlineData("12 apples")]
    [InlineData("9999999999999999999GiB")]
    public void Refuses(string text) => Assert.False(SizeText.TryParse(text, out _));
}
