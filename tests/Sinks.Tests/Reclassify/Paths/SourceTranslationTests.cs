using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Paths;
using ConntrackStream.Sinks.Tests.FlowLog;

namespace ConntrackStream.Sinks.Tests.Reclassify.Paths;

public sealed class SourceTranslationTests
{
    private static readonly UplinkPath Now = new() { Name = "now" }, Wanted = new() { Name = "wanted" };

    private readonly SourceTranslation _translation = new([Now, Wanted]);

    [Theory]
    [InlineData("10.0.0.2")]
    [InlineData("198.51.100.2")]
    [InlineData("2001:db8::2")]
    public void Where_no_flow_is_translated_none_is_expected_to_be(string source) => Assert.False(IsExpected(source));

    [Theory]
    [InlineData("198.51.100.200", true)]
    [InlineData("198.51.101.2", true)] // a leased line that translates nothing, and an uplink that does
    [InlineData("2001:db8::2", false)] // the other family
    public void A_path_that_translates_others_is_expected_to_translate(string source, bool expected)
    {
        Note(Wanted, "198.51.100.2");
        Assert.Equal(expected, IsExpected(source));
    }

    [Theory]
    [InlineData("10.9.0.2", true)]
    [InlineData("172.31.0.2", true)]
    [InlineData("192.168.9.2", true)]
    [InlineData("100.127.0.2", true)]
    [InlineData("198.51.101.2", false)]
    [InlineData("100.128.0.2", false)]
    public void A_source_that_is_not_translated_beside_others_is_so_everywhere_unless_it_is_private(string source, bool expected)
    {
        Note(Now, "192.168.1.2");
        Note(Wanted, "192.168.1.2");
        Assert.Equal(expected, IsExpected(source));
    }

    [Theory]
    [InlineData("fd00:7::2", "fd00:9::2", true)]
    [InlineData("fd00:7::2", "2001:db8:9::2", false)]
    [InlineData("2001:db8:9::3", "2001:db8:9::2", true)] // one uplink's own prefix is not translated on it, but on the other
    [InlineData("2001:db8:9:1::3", "2001:db8:9::2", false)]
    public void Flows_of_the_same_network_tell_most(string translated, string source, bool expected)
    {
        Note(Now, "2001:db8:7::2");
        Note(Wanted, translated);
        Assert.Equal(expected, IsExpected(source));
    }

    [Fact]
    public void Configured_addresses_count_as_seen()
    {
        Assert.True(UplinkPathText.TryParse("wanted source=203.0.113.1", 0, out UplinkPath? wanted, out _));
        Assert.True(new SourceTranslation([Now, wanted]).IsExpected(Tuple("198.51.100.2"), Now, wanted));
    }

    [Fact]
    public void However_many_networks_there_are_its_memory_has_an_end()
    {
        for (int network = 0; network < 100_000; network++)
            Note(Wanted, $"{11 + (network >> 16)}.{network >> 8 & 0xff}.{network & 0xff}.2");
        Note(Now, "198.51.100.2");
        Assert.True(IsExpected("11.0.0.9"));
        Assert.False(IsExpected("11.200.0.9"));
    }

    private void Note(UplinkPath path, string source) => _translation.Note(path, Tuple(source));

    private bool IsExpected(string source) => _translation.IsExpected(Tuple(source), Now, Wanted);

    private static FlowTuple Tuple(string source) =>
        FlowLogTestData.Tuple(IpProtocol.Udp, source, 1, source.Contains(':') ? "2001:db8:ffff::1" : "203.0.113.9", 2);
}
