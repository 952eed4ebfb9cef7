using ConntrackStream.Sinks.Reclassify.OpenWrt;

namespace ConntrackStream.Sinks.Tests.Reclassify.OpenWrt;

public sealed class PbrConfigTests
{
    private const string Network = """
        config interface 'lan'
        	option device 'br-lan'
        config interface 'wan'
        	option device 'eth1'
        	option proto 'dhcp'
        config interface 'wan6'
        	option device 'eth1'
        	option proto 'dhcpv6'
        config interface 'wanb'
        	option device 'eth2'
        config interface 'vpn'
        	option proto 'wireguard'
        config interface 'wgserver'
        	option proto 'wireguard'
        	option listen_port '51820'
        config interface 'tun'
        	option device 'tun0'
        config interface 'odd'
        	option device 'eth9'
        config interface 'wanold'
        	option device 'eth5'
        	option disabled '1'
        """;

    internal const string Enabled = """
        config pbr 'config'
        	option enabled '1'
        	option resolver_set 'dnsmasq.nftset'
        	list supported_interface 'odd'
        	list ignored_interface 'tun'

        """;

    [Fact]
    public void Supported_interfaces_are_paths_without_marks()
    {
        ImportedConfig config = Read(Enabled);
        Assert.Equal(
            ["wan eth1", "wanb eth2", "vpn vpn", "odd eth9"],
            config.Paths.Select(path => $"{path.Name} {string.Join(',', path.Devices)}").ToArray());
        Assert.All(config.Paths, path => Assert.Null(path.Mark));
        Assert.Empty(config.Notes);
    }

    [Fact]
    public void The_uplinks_other_family_is_no_path_of_its_own()
    {
        ImportedConfig config = Read(
            Enabled + "config pbr 'config'\n option ipv6_enabled 1\n",
            (Network.Replace("'eth1'\n\toption proto 'dhcpv6'", "'eth3'\n\toption proto 'dhcpv6'", StringComparison.Ordinal)));
        Assert.Equal(["eth1", "eth3"], config.Paths[0].Devices.ToArray());
        Assert.Equal(["wan", "wanb", "vpn", "odd"], config.Paths.Select(path => path.Name).ToArray());
    }

    [Fact]
    public void Policies_are_static_rules_and_domains_are_sets_of_dnsmasq()
    {
        ImportedConfig config = Read(Enabled + """
            config policy
            	option name 'ignored'
            	option interface 'ignore'
            	option dest_addr '10.0.0.0/8 192.168.0.0/16'
            config policy
            	option name 'Video Service'
            	option interface 'vpn'
            	option dest_addr 'video.example cdn.video.example'
            config policy
            	option name 'games'
            	option interface 'wanb'
            	option src_addr '192.168.1.7'
            	option dest_port '3000-3100 4000'
            config policy 'named'
            	option name 'dns'
            	option interface 'wan'
            	option proto 'UDP'
            	option dest_port '53'
            config policy
            	option name 'guests'
            	option interface 'vpn'
            	option src_addr '@br-guest'
            	option dest_port '80'
            	option proto 'tcp'
            config policy
            	option name 'onion'
            	option interface 'tor'
            	option dest_addr '203.0.113.9'
            config policy
            	option name 'not these'
            	option interface 'vpn'
            	option dest_addr '!198.51.100.0/24'
            	option src_addr '192.168.5.0/24'
            config policy
            	option name 'off'
            	option enabled '0'
            	option interface 'vpn'
            	option dest_addr '203.0.113.10'
            config policy
            	option name 'own'
            	option interface 'vpn'
            	option chain 'output'
            	option dest_addr '203.0.113.10'
            """);

        Assert.Equal(["nft:inet/fw4/pbr_vpn_4_dst_ip_cfg036ff5@dst=vpn after 2"], config.Sets.Select(Mwan3ConfigTests.Show).ToArray());
        Assert.Equal(
            [
                "pbr policy ignored: keep * * > 10.0.0.0/8 *",
                "pbr policy ignored: keep * * > 192.168.0.0/16 *",
                "pbr policy games: wanb Tcp 192.168.1.7/32 > * 3000-3100",
                "pbr policy games: wanb Tcp 192.168.1.7/32 > * 4000",
                "pbr policy games: wanb Udp 192.168.1.7/32 > * 3000-3100",
                "pbr policy games: wanb Udp 192.168.1.7/32 > * 4000",
                "pbr policy dns: wan Udp * > 0.0.0.0/0 53",
                "pbr policy guests: keep Tcp * > 0.0.0.0/0 80",
                "pbr policy onion: keep * * > 203.0.113.9/32 *",
                "pbr policy not these: keep * 192.168.5.0/24 > * *",
            ],
            config.Rules.Select(Mwan3ConfigTests.Show).ToArray());
        Assert.Equal(4, config.Notes.Count); // guests, onion, not these, own
        Assert.Contains(
            "policy onion, option interface 'tor': its flows are left alone, since interface tor is no path known here",
            config.Notes,
            StringComparer.Ordinal);
        Assert.Contains(
            config.Notes,
            note => note.StartsWith(
                "policy not these: flows that match the rest of it, but none of the values understood here, are left alone, "
                + "since option dest_addr '!198.51.100.0/24'",
                StringComparison.Ordinal));
        Assert.Empty(config.Faults);
    }

    [Fact]
    public void With_IPv6_domains_have_a_set_of_each_family_and_rules_are_for_both()
    {
        ImportedConfig config = Read(Enabled + """
            config pbr 'config'
            	option ipv6_enabled '1'
            config policy 'video'
            	option interface 'wan6'
            	option dest_addr 'video.example'
            config policy 'dns'
            	option interface 'wan6'
            	option dest_port '53'
            	option proto 'udp'
            """);
        Assert.Equal(
            ["nft:inet/fw4/pbr_wan6_4_dst_ip_video@dst=wan after 0", "nft:inet/fw4/pbr_wan6_6_dst_ip_video@dst=wan after 0"],
            config.Sets.Select(Mwan3ConfigTests.Show).ToArray());
        Assert.Equal(["pbr policy dns: wan Udp * > * 53"], config.Rules.Select(Mwan3ConfigTests.Show).ToArray());
    }

    [Fact]
    public void Nothing_is_taken_while_pbr_is_off()
    {
        ImportedConfig config = Read(
            "config pbr 'config'\n option enabled 0\nconfig policy\n option interface wan\n option dest_addr 10.0.0.0/8\n");
        Assert.Empty(config.Paths);
        Assert.Empty(config.Rules);
        Assert.Contains("pbr is not enabled", Assert.Single(config.Notes), StringComparison.Ordinal);
    }

    internal static ImportedConfig Read(string pbr, string network = Network)
    {
        Assert.True(
            PbrConfig.TryRead(
                Mwan3ConfigTests.Parse(pbr), Mwan3ConfigTests.Parse(network), out ImportedConfig? config, out string? problem),
            problem);
        return config;
    }
}
