using ConntrackStream.Sinks.Reclassify.OpenWrt;
using ConntrackStream.Sinks.Reclassify.Rules;

namespace ConntrackStream.Sinks.Tests.Reclassify.OpenWrt;

public sealed class Mwan3ConfigTests
{
    private const string Network = """
        config interface 'loopback'
        	option device 'lo'
        config interface 'fibre'
        	option device 'eth1'
        	option proto 'pppoe'
        config interface 'fibre6'
        	option device '@fibre'
        	option proto 'dhcpv6'
        config interface 'lte'
        	option proto 'qmi'
        	option device '/dev/cdc-wdm0'
        config interface 'cable'
        	option ifname 'eth2'
        	option proto 'dhcp'
        """;

    internal const string Interfaces = """
        config globals 'globals'
        	option mmx_mask '0xAA00'
        config interface 'fibre'
        	option enabled '1'
        config interface 'old'
        	option enabled '0'
        config interface 'fibre6'
        	option enabled '1'
        	option family 'ipv6'
        config interface 'lte'
        	option enabled '1'
        config interface 'cable'
        	option enabled '1'
        config member 'f1'
        	option interface 'fibre'
        	option metric '1'
        config member 'f6'
        	option interface 'fibre6'
        config member 'c1'
        	option interface 'cable'
        	option metric '1'
        	option weight '3'
        config member 'c2'
        	option interface 'cable'
        	option metric '2'
        config member 'o1'
        	option interface 'old'
        config policy 'balanced'
        	list use_member 'f1'
        	list use_member 'c1'
        config policy 'fibre_first'
        	list use_member 'f1'
        	list use_member 'f6'
        	list use_member 'c2'
        config policy 'cable_only'
        	list use_member 'c2'
        config policy 'old_or_cable'
        	list use_member 'o1'
        	list use_member 'c2'

        """;

    [Fact]
    public void Interfaces_are_paths_numbered_in_their_order()
    {
        ImportedConfig config = Read(Interfaces);
        Assert.Equal(
            [
                "fibre 0x200/0xaa00 IPv4 pppoe-fibre", "fibre6 0xa00/0xaa00 IPv6 pppoe-fibre", "lte 0x2000/0xaa00 IPv4 ",
                "cable 0x2200/0xaa00 IPv4 eth2",
            ],
            config.Paths.Select(path => $"{path.Name} {path.Mark} {path.Family} {string.Join(',', path.Devices)}").ToArray());
        Assert.Contains(
            "interface lte: the network configuration does not tell its device", Assert.Single(config.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public void The_mask_is_0x3f00_unless_told_and_interfaces_beyond_it_are_noted()
    {
        Assert.Equal("0x100/0x3f00", Read("config interface 'fibre'\n option enabled 1\n").Paths[0].Mark.ToString());
        ImportedConfig config = Read(
            "config globals 'globals'\n option mmx_mask 0x7\n"
            + string.Concat(Enumerable.Range(1, 5).Select(i => $"config interface 'w{i}'\n option enabled 1\n")));
        Assert.Equal(4, config.Paths.Count);
        Assert.Contains("interface w5: number 5, but the mask 0x7 has room for 4", config.Notes, StringComparer.Ordinal);
        Assert.False(Mwan3Config.TryRead(Parse("config globals 'globals'\n option mmx_mask x\n"), Parse(""), out _, out string? problem));
        Assert.Contains("option mmx_mask: 'x' is not a mark", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_set_rule_goes_to_the_only_interface_of_the_lowest_metric()
    {
        ImportedConfig config = Read(Interfaces + """
            config rule 'video'
            	option ipset 'app_1.v4'
            	option use_policy 'cable_only'
            config rule 'dual'
            	option ipset 'app_2.v4'
            	option use_policy 'fibre_first'
            config rule 'dual6'
            	option ipset 'app_2.v6'
            	option use_policy 'fibre_first'
            	option family 'ipv6'
            config rule 'shared'
            	option ipset 'app_3.v4'
            	option use_policy 'balanced'
            config rule 'limited'
            	option ipset 'app_4.v4'
            	option dest_port '443'
            	option proto 'tcp'
            	option use_policy 'cable_only'
            config rule 'disabled_member'
            	option ipset 'app_6.v4'
            	option use_policy 'old_or_cable'
            """);

        Assert.Equal(
            [
                "ipset:app_1.v4@dst=cable after 0", "ipset:app_2.v4@dst=fibre|fibre6 after 0", "ipset:app_2.v6@dst=fibre6 after 0",
                "ipset:app_3.v4@dst=keep after 0",
                "ipset:app_4.v4@dst=cable after 0", "ipset:app_6.v4@dst=cable after 0",
            ],
            config.Sets.Select(Show).ToArray());
        Assert.Equal(
            ["mwan3 rule dual: fibre * * > 0.0.0.0/0 *", "mwan3 rule dual: fibre6 * * > ::/0 *"],
            config.Sets[1].Rules.Select(Show).ToArray());
        Assert.Equal(
            ["mwan3 rule limited: cable Tcp * > 0.0.0.0/0 443", "mwan3 rule limited: keep Tcp * > ::/0 443"],
            config.Sets[4].Rules.Select(Show).ToArray());
        Assert.Empty(config.Rules);
        Assert.Empty(config.Faults);
        Assert.Contains(
            "rule shared: its flows are left alone, since policy balanced has no single interface at its lowest metric that is known here",
            config.Notes,
            StringComparer.Ordinal);
    }

    [Fact]
    public void Other_rules_are_static_rules_in_their_order()
    {
        ImportedConfig config = Read(Interfaces + """
            config rule 'mail'
            	option proto 'tcp'
            	option src_ip '192.168.1.0/24'
            	option dest_port '25,465,1000:2000'
            	option use_policy 'cable_only'
            	option family 'ipv4'
            config rule 'https'
            	option proto 'tcp'
            	option dest_port '443'
            	option use_policy 'balanced'
            config rule 'office'
            	option src_iface 'guest'
            	option dest_ip '203.0.113.0/24'
            	option use_policy 'cable_only'
            config rule 'lookup'
            	option dest_port '53'
            	option use_policy 'cable_only'
            	option dest_ip '192.0.2.0/24'
            config rule 'a_name_that_is_too_long'
            	option use_policy 'cable_only'
            config rule 'rest'
            	option use_policy 'fibre_first'
            	option proto 'all'
            """);

        Assert.Equal(
            [
                "mwan3 rule mail: cable Tcp 192.168.1.0/24 > * 25",
                "mwan3 rule mail: cable Tcp 192.168.1.0/24 > * 465",
                "mwan3 rule mail: cable Tcp 192.168.1.0/24 > * 1000-2000",
                "mwan3 rule https: keep Tcp * > * 443",
                "mwan3 rule office: keep * * > 203.0.113.0/24 *",
                "mwan3 rule lookup: cable * * > 192.0.2.0/24 *", // ports count for tcp and udp only
                "mwan3 rule rest: fibre * * > 0.0.0.0/0 *",
                "mwan3 rule rest: fibre6 * * > ::/0 *",
            ],
            config.Rules.Select(Show).ToArray());
        Assert.Contains(
            config.Notes,
            note => note == "rule https: its flows are left alone, since policy balanced has no single interface at its lowest "
                + "metric that is known here");
        Assert.Contains(
            config.Notes, note => note == "rule office: its flows are left alone, since option src_iface 'guest' is not understood here");
        Assert.Contains(config.Notes, note => note.StartsWith("rule a_name_that_is_too_long: longer than 15", StringComparison.Ordinal));
    }

    internal static string Show(StaticRule rule) =>
        $"{rule.Origin}: {rule.Path ?? "keep"} {Text(rule.Protocol)} "
        + $"{Text(rule.Source)}{(rule.SourcePort is null ? "" : $":{rule.SourcePort}")} > {Text(rule.Destination)} "
        + $"{Text(rule.DestinationPort)}";

    internal static string Show(ImportedSet set) => $"{set.Set}={set.Path} after {set.Position}";

    internal static UciFile Parse(string text)
    {
        Assert.True(UciFile.TryParse(text, out UciFile? file, out string? problem), problem);
        return file;
    }

    private static string Text<T>(T? value)
        where T : struct => value?.ToString() ?? "*";

    internal static ImportedConfig Read(string mwan3)
    {
        Assert.True(Mwan3Config.TryRead(Parse(mwan3), Parse(Network), out ImportedConfig? config, out string? problem), problem);
        return config;
    }
}
