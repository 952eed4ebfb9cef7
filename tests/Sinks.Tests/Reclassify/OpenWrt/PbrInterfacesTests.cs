using ConntrackStream.Sinks.Reclassify.OpenWrt;
using ConntrackStream.Sinks.Reclassify.Paths;

namespace ConntrackStream.Sinks.Tests.Reclassify.OpenWrt;

public sealed class PbrInterfacesTests
{
    private const string Config = "config pbr 'config'\n option enabled '1'\n";

    [Theory]
    [InlineData("wan", false, true)]
    [InlineData("wanb", false, true)]
    [InlineData("wwan", false, true)]
    [InlineData("lte_wan", false, true)]
    [InlineData("lte_wan2", false, true)]
    [InlineData("wan6", false, false)]
    [InlineData("wwan6", false, false)]
    [InlineData("wanb6", false, false)]
    [InlineData("wwan6", true, true)]
    [InlineData("wanb6", true, true)]
    [InlineData("lan2", false, false)]
    [InlineData("lte", false, false)]
    public void Uplinks_are_paths_by_their_names(string name, bool ipv6, bool isPath)
    {
        ImportedConfig config = PbrConfigTests.Read(
            $"{Config} option ipv6_enabled '{(ipv6 ? 1 : 0)}'\n",
            $"config interface '{name}'\n option device 'eth7'\n option proto 'dhcp'\n");
        Assert.Equal(isPath ? [name] : [], config.Paths.Select(path => path.Name).ToArray());
    }

    [Theory]
    [InlineData("", "br-lan", false)]
    [InlineData(" list lan_device 'eth7'\n", "eth7", false)]
    [InlineData(" list lan_device 'eth7'\n", "br-lan", true)] // in place of br-lan
    public void A_lans_device_is_no_way_out_whatever_its_interface_is_called(string lans, string device, bool isPath) =>
        Assert.Equal(
            isPath ? 1 : 0, PbrConfigTests.Read(Config + lans, $"config interface 'wanted'\n option device '{device}'\n").Paths.Count);

    /// <summary>pbr 1.1 routes by names that begin or end with wan, 1.2.1 by all that have it.</summary>
    [Theory]
    [InlineData("wwan", "wwan", true)]
    [InlineData("lte_wan2", null, true)]
    [InlineData("lte_wan2", "lte_wan2", false)]
    public void Nothing_is_moved_where_pbr_may_not_route(string name, string? path, bool isPlain)
    {
        ImportedConfig config = PbrConfigTests.Read(
            $"{Config}{(isPlain ? "" : $" list supported_interface '{name}'\n")}config policy\n option name 'p'\n"
            + $" option interface '{name}'\n option dest_addr '203.0.113.9'\n",
            $"config interface '{name}'\n option device 'eth7'\n");
        Assert.Equal(path ?? "keep", config.Of("10.0.0.2", "203.0.113.9"));
        Assert.Equal(
            path is null, config.Notes.Any(note => note.StartsWith($"policy p, option interface '{name}'", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_modem_whose_device_is_not_told_is_no_way_out_until_it_is_named()
    {
        ImportedConfig config =
            PbrConfigTests.Read(Config, "config interface 'lte_wan'\n option proto 'qmi'\n option device '/dev/cdc-wdm0'\n");
        UplinkPath path = Assert.Single(config.Paths);
        Assert.NotNull(path.WhyUnknown);
        string note = Assert.Single(config.Notes);
        Assert.StartsWith(
            "interface lte_wan: the network configuration does not tell its device (option proto 'qmi');"
            + " name it in Reclassify:Paths, such as \"lte_wan dev=wwan0\"",
            note,
            StringComparison.Ordinal);
        Assert.True(UplinkPathText.TryParse("lte_wan dev=wwan0", 0x3f00, out UplinkPath? named, out _));
        Assert.Null(named.WhyUnknown);
    }
}
