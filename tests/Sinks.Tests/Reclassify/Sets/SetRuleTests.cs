using ConntrackStream.Sinks.Reclassify.Sets;

namespace ConntrackStream.Sinks.Tests.Reclassify.Sets;

public sealed class SetRuleTests
{
    [Theory]
    [InlineData("ipset:app_1.v4=wan", "ipset app_1.v4", "wan")]
    [InlineData("ipset:app_1.v4@dst=wan", "ipset app_1.v4", "wan")]
    [InlineData("ipset:app@dst+src+dst=wan-2", "ipset app", "wan-2")]
    [InlineData("ipset:a=b=wan", "ipset a=b", "wan")]
    [InlineData("nft:inet/fw4/streaming4=wan_1", "nft inet fw4 streaming4", "wan_1")]
    [InlineData("nft:ip6/t/s@src+dst=x", "nft ip6 t s", "x")]
    public void Rules_are_read_and_written_back(string text, string set, string path)
    {
        Assert.True(SetRule.TryParse(text, out SetRule? rule, out string? error), error);
        Assert.Equal((set, path, text), (rule.Set.ToString(), rule.Path, rule.ToString()));
    }

    [Theory]
    [InlineData("ipset:app@src+dst+src=wan", true, false, true)]
    [InlineData("ipset:app=wan", false, false, false)]
    public void Directions_go_by_dimension(string text, params bool[] sources)
    {
        Assert.True(SetRule.TryParse(text, out SetRule? rule, out _));
        Assert.Equal(sources, Enumerable.Range(0, 3).Select(rule.Directions.IsSource));
        Assert.True(rule.Directions.Cover(3));
        Assert.Equal(rule.Directions.IsDefault, rule.Directions.Cover(4));
    }

    [Theory]
    [InlineData(null, "'': a set rule is ipset:NAME")]
    [InlineData("ipset:app", "'ipset:app': a set rule is ipset:NAME")]
    [InlineData("ipset:app=", "a set rule is ipset:NAME")]
    [InlineData("ipset:app=w an", "a path's name is letters")]
    [InlineData("app=wan", "'app=wan': a set is named ipset:NAME or nft:FAMILY/TABLE/SET")]
    [InlineData("ipset:=wan", "an ipset's name is 1 to 31 bytes")]
    [InlineData("ipset:a234567890123456789012345678901x=wan", "an ipset's name is 1 to 31 bytes")]
    [InlineData("ipset:app@dest=wan", "after the @ comes src or dst")]
    [InlineData("ipset:app@=wan", "after the @ comes src or dst")]
    [InlineData("ipset:app@src+src+src+src+src+src+src=wan", "at most 6")]
    [InlineData("nft:fw4/s=wan", "named nft:FAMILY/TABLE/SET")]
    [InlineData("nft:bridge/t/s=wan", "family is ip, ip6 or inet, not 'bridge'")]
    [InlineData("nft:inet//s=wan", "an nftables name is 1 to 255 bytes")]
    public void Faults_are_named(string? text, string expected)
    {
        Assert.False(SetRule.TryParse(text, out _, out string? error));
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }
}
