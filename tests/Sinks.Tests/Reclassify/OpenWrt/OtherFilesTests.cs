using ConntrackStream.Sinks.Reclassify.OpenWrt;

namespace ConntrackStream.Sinks.Tests.Reclassify.OpenWrt;

/// <summary>A file that is not what it is said to be.</summary>
public sealed class OtherFilesTests
{
    private const string Mwan4 = """
        config globals 'globals'
        	option mmx_mask '0x3F00'
        config interface 'wan'
        	option enabled '1'
        	list family 'ipv4'
        config route 'wan_m1'
        	option interface 'wan'
        config strategy 'wan_only'
        	list use_route 'wan_m1'
        config rule 'default_rule'
        	option use_strategy 'wan_only'
        """;

    private const string Pbr =
        "config pbr 'config'\n option enabled '1'\nconfig policy\n option interface 'wan'\n option dest_addr '203.0.113.9'\n";

    private const string Wireless = "config wifi-device 'radio0'\n option type 'mac80211'\n";

    [Theory]
    [InlineData(
        Mwan4,
        "is mwan4's configuration, not mwan3's: it has strategies in place of policies (sections of type globals, interface, "
        + "route, strategy, rule)")]
    [InlineData(Pbr, "is pbr's configuration, not mwan3's (sections of type pbr, policy)")]
    [InlineData(
        Wireless,
        "is not mwan3's configuration: it has no section of type globals, interface, member, policy, rule, "
        + "but sections of type wifi-device")]
    [InlineData("", "is not mwan3's configuration: it has no section of type globals, interface, member, policy, rule, but no sections")]
    public void Is_refused_as_mwan3s(string text, string problem)
    {
        Assert.False(Mwan3Config.TryRead(Mwan3ConfigTests.Parse(text), Mwan3ConfigTests.Parse(""), out _, out string? found));
        Assert.StartsWith(problem, found, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Mwan4, "sections of type globals, interface, route, strategy, rule")]
    [InlineData(Wireless, "sections of type wifi-device")]
    [InlineData("", "no sections")]
    public void Is_refused_as_pbrs(string text, string types)
    {
        Assert.False(PbrConfig.TryRead(Mwan3ConfigTests.Parse(text), Mwan3ConfigTests.Parse(""), out _, out string? found));
        Assert.Equal($"is not pbr's configuration: it has no section pbr 'config', but {types}", found);
    }

    [Fact]
    public void Is_refused_as_the_networks()
    {
        Assert.Equal(
            "is not the network configuration: it has no section of type interface, but sections of type wifi-device",
            NetworkDevices.WhyOther(Mwan3ConfigTests.Parse(Wireless)));
        Assert.Null(NetworkDevices.WhyOther(Mwan3ConfigTests.Parse("config interface 'wan'\n")));
    }

    [Fact]
    public void Sections_of_types_that_are_not_known_are_named()
    {
        ImportedConfig config = Mwan3ConfigTests.Read(Mwan3ConfigTests.Interfaces + "config shaper 'a'\nconfig shaper 'b'\n");
        Assert.Contains("sections of type shaper (a, b) are not understood here, and left out", config.Notes, StringComparer.Ordinal);
    }
}
