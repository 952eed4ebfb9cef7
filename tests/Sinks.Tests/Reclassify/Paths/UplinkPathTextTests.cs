using ConntrackStream.Sinks.Reclassify.Paths;

namespace ConntrackStream.Sinks.Tests.Reclassify.Paths;

public sealed class UplinkPathTextTests
{
    [Fact]
    public void A_path_has_a_mark_sources_and_devices()
    {
        UplinkPath path = Parse("wan.1 mark=0x100/0x3f00  source=198.51.100.1 source=2001:db8::/64 dev=wan\tdev=wan6");

        Assert.Equal("wan.1", path.Name);
        Assert.Equal("0x100/0x3f00", path.Mark.ToString());
        Assert.Equal(["198.51.100.1/32", "2001:db8::/64"], path.Sources.Select(source => source.ToString()).ToArray());
        Assert.Equal(["wan", "wan6"], path.Devices.ToArray());
    }

    [Theory]
    [InlineData(1, 0x3f00u, "0x100/0x3f00")]
    [InlineData(60, 0x3f00u, "0x3c00/0x3f00")]
    [InlineData(5, 0xaau, "0x22/0xaa")]
    public void An_id_is_spread_over_the_mask(int id, uint mask, string mark) =>
        Assert.Equal(mark, Parse($"wan id={id}", mask).Mark.ToString());

    [Theory]
    [InlineData("", "begins with its name")]
    [InlineData("w/an dev=a", "'w/an' is no name")]
    [InlineData("keep dev=a", "cannot be named keep")]
    [InlineData("wan", "no flow could be recognised")]
    [InlineData("wan mark=1 id=2", "one mark= or one id=")]
    [InlineData("wan mark=x", "'x' is not a mark")]
    [InlineData("wan mark=0x101/0x3f00", "'0x101/0x3f00' can never match: its value has bits outside its mask")]
    [InlineData("wan id=0", "numbers 1 to 60 under the mask 0x3f00")]
    [InlineData("wan id=61", "numbers 1 to 60")]
    [InlineData("wan source=300.1.1.1", "'300.1.1.1' is not an IPv4")]
    [InlineData("wan dev=", "names no interface")]
    [InlineData("wan dev=abcdefghijklmnop", "names no interface")]
    [InlineData("wan device=eth0", "'device=eth0' is not known; allowed are mark=")]
    [InlineData("wan eth0", "'eth0' is not known")]
    public void What_is_wrong_is_named(string text, string expected)
    {
        Assert.False(UplinkPathText.TryParse(text, 0x3f00, out _, out string? error));
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    private static UplinkPath Parse(string text, uint mask = 0x3f00)
    {
        Assert.True(UplinkPathText.TryParse(text, mask, out UplinkPath? path, out string? error), error);
        return path;
    }
}
