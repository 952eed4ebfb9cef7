using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.OpenWrt;
using ConntrackStream.Sinks.Reclassify.Rules;

namespace ConntrackStream.Sinks.Tests.Reclassify.OpenWrt;

/// <summary>What is not understood of a policy leaves exactly those flows alone that it could concern, and is named.</summary>
public sealed class PbrPolicyTests
{
    private const string Client = "192.168.1.7";

    private const string WithoutSets = "config pbr 'config'\n option enabled '1'\n";

    private const string Rest = """

        config policy 'rest'
        	option interface 'wanb'
        	option dest_addr '203.0.113.0/24'

        """;

    /// <summary>The names are looked up when pbr starts: any address may be theirs. What follows them is decided as ever.</summary>
    [Theory]
    [InlineData("office.example.org 203.0.113.20")]
    [InlineData("203.0.113.20 office.example.org")]
    [InlineData("203.0.113.20,office.example.org")]
    public void Addresses_beside_a_name_are_decided_and_what_the_name_could_mean_is_left_alone(string destinations)
    {
        ImportedConfig config = PbrConfigTests.Read(
            WithoutSets + Policy("vpn", $"option dest_addr '{destinations}'", "option src_addr '192.168.1.0/24'") + Rest);
        Assert.Equal("vpn", config.Of(Client, "203.0.113.20"));
        Assert.Equal("keep", config.Of(Client, "203.0.113.21")); // never by the later policy
        Assert.Equal("wanb", config.Of("192.168.2.7", "203.0.113.21")); // but of another source
        Assert.Contains(
            "policy under test: flows that match the rest of it, but none of the values understood here, are left alone, "
            + "since option dest_addr 'office.example.org' is a name, which may stand for any address",
            config.Notes,
            StringComparer.Ordinal);
        Assert.Empty(config.Faults);
    }

    /// <summary>With dnsmasq's sets the kernel tells which addresses are the name's; whoever comes first keeps its flows.</summary>
    [Fact]
    public void A_name_with_a_set_is_decided_by_the_set_at_its_place_in_the_order()
    {
        ImportedConfig config = PbrConfigTests.Read(
            PbrConfigTests.Enabled + Rest + Policy("vpn", "option dest_addr 'office.example.org 198.51.100.20'", "option dest_port '443'")
            + Rest);
        ImportedSet set = Assert.Single(config.Sets);
        Assert.Equal("nft:inet/fw4/pbr_vpn_4_dst_ip_tested@dst=vpn after 1", Mwan3ConfigTests.Show(set));
        Assert.Equal(
            ["pbr policy under test: vpn Tcp * > 0.0.0.0/0 443", "pbr policy under test: vpn Udp * > 0.0.0.0/0 443"],
            set.Rules.Select(Mwan3ConfigTests.Show).ToArray());
        Assert.Equal("vpn", config.Of(Client, "198.51.100.20"));
        Assert.Equal("none", config.Of(Client, "198.51.100.21"));
        Assert.Empty(config.Notes);
    }

    [Theory]
    [InlineData("src_addr", "@br-guest")]
    [InlineData("src_addr", "aa:bb:cc:dd:ee:ff")]
    [InlineData("src_addr", "laptop")]
    [InlineData("src_addr", "file:///etc/list")]
    [InlineData("dest_addr", "!office.example.org")]
    [InlineData("proto", "quic")]
    [InlineData("gateway", "10.8.0.2")]
    [InlineData("remote_port", "80")]
    [InlineData("chain", "forward")]
    [InlineData("enabled", "yes")] // of pbr 1.1 it is, of 1.2.1 it is not
    public void A_word_that_is_not_understood_takes_no_other_flows_from_later_policies(string option, string value)
    {
        string[] conditions = option == "dest_addr" ? ["option src_addr '192.168.1.0/24'"] : ["option dest_addr '203.0.113.20'"];
        ImportedConfig config = PbrConfigTests.Read(WithoutSets + Policy("vpn", [$"option {option} '{value}'", .. conditions]) + Rest);
        Assert.Equal("keep", config.Of(Client, "203.0.113.20"));
        Assert.Equal("wanb", config.Of("192.168.2.7", "203.0.113.21"));
        Assert.Contains($"option {option} '{value}'", Assert.Single(config.Notes), StringComparison.Ordinal);
        Assert.StartsWith("policy under test", config.Notes[0], StringComparison.Ordinal);
        Assert.Empty(config.Faults);
    }

    [Theory]
    [InlineData("option src_addr '@br-guest'")]
    [InlineData("option proto 'quic'")]
    [InlineData("option dest_addr 'office.example.org'")]
    public void A_policy_of_which_nothing_is_understood_is_a_fault(string condition)
    {
        ImportedConfig config = PbrConfigTests.Read(WithoutSets + Policy("vpn", condition) + Rest);
        Assert.Equal("keep", config.Of(Client, "203.0.113.20")); // it could be its
        string fault = Assert.Single(config.Faults);
        Assert.StartsWith(
            "policy under test: every flow that nothing before it decides is left alone, so that nothing after it counts, since option",
            fault,
            StringComparison.Ordinal);
        Assert.Empty(config.Notes);
    }

    [Fact]
    public void Policies_before_one_that_is_not_understood_count()
    {
        ImportedConfig config = PbrConfigTests.Read(WithoutSets + Rest + Policy("vpn", "option src_addr '@br-guest'"));
        Assert.Equal("wanb", config.Of(Client, "203.0.113.20"));
    }

    [Fact]
    public void What_is_negated_is_surely_not_meant()
    {
        ImportedConfig config = PbrConfigTests.Read(WithoutSets + Policy("vpn", "option dest_addr '!203.0.113.0/24 203.0.113.9'") + Rest);
        Assert.Equal("vpn", config.Of(Client, "203.0.113.9"));
        Assert.Equal("wanb", config.Of(Client, "203.0.113.20"));
        Assert.Equal("keep", config.Of(Client, "198.51.100.1"));
        Assert.Equal("none", config.Of("2001:db8::7", "2001:db8::1"));
    }

    [Fact]
    public void A_negated_source_is_surely_not_meant_and_the_question_has_the_source()
    {
        string policy = Policy("vpn", "option src_addr '!192.168.1.0/24'", "option dest_addr '203.0.113.20'");
        ImportedConfig config = PbrConfigTests.Read(WithoutSets + policy + Rest);
        Assert.Equal("wanb", config.Of(Client, "203.0.113.20"));
        Assert.Equal("keep", config.Of("192.168.2.7", "203.0.113.20"));
        Assert.Equal(QuestionFields.Source, new RuleIndex(config.Rules).Fields); // or one source's answer would be another's
    }

    [Fact]
    public void Beside_a_name_even_what_is_negated_may_be_meant()
    {
        string policy = Policy("vpn", "option dest_addr '!203.0.113.0/24 office.example.org'");
        ImportedConfig config = PbrConfigTests.Read(WithoutSets + policy + Rest);
        Assert.Equal("keep", config.Of(Client, "203.0.113.20"));
    }

    /// <summary>Each family's addresses make a rule of that family alone.</summary>
    [Fact]
    public void What_is_negated_of_one_family_says_nothing_about_the_other()
    {
        const string WithIPv6 = WithoutSets + " option ipv6_enabled '1'\n";
        ImportedConfig config = PbrConfigTests.Read(WithIPv6 + Policy("vpn", "option dest_addr '!203.0.113.0/24'") + Rest);
        Assert.Equal("keep", config.Of(Client, "198.51.100.1"));
        Assert.Equal("none", config.Of("2001:db8::7", "2001:db8::1"));
    }

    [Fact]
    public void A_range_of_ports_with_a_colon_leaves_the_policys_flows_alone()
    {
        string policy = Policy("vpn", "option dest_addr '203.0.113.20'", "option dest_port '440:450'");
        ImportedConfig config = PbrConfigTests.Read(WithoutSets + policy + Rest);
        Assert.Equal("keep", config.Of(Client, "203.0.113.20"));
        Assert.Equal("wanb", config.Of(Client, "203.0.113.21"));
    }

    [Fact]
    public void Ports_of_which_one_is_not_understood_leave_the_policys_flows_alone()
    {
        string policy = Policy("vpn", "option dest_addr '203.0.113.20'", "option dest_port '!80 https'");
        ImportedConfig config = PbrConfigTests.Read(WithoutSets + policy + Rest);
        Assert.Equal("keep", config.Of(Client, "203.0.113.20"));
    }

    [Fact]
    public void A_policy_without_conditions_is_left_out()
    {
        ImportedConfig config = PbrConfigTests.Read(WithoutSets + Policy("vpn") + Rest);
        Assert.Equal("wanb", config.Of(Client, "203.0.113.20"));
        Assert.Equal("policy under test: left out, since it has no conditions", Assert.Single(config.Notes));
    }

    [Fact]
    public void A_policy_without_an_interface_leaves_its_flows_alone_and_says_so()
    {
        ImportedConfig config = PbrConfigTests.Read(WithoutSets + "config policy 'bare'\n option dest_addr '203.0.113.20'\n" + Rest);
        Assert.Equal("keep", config.Of(Client, "203.0.113.20"));
        Assert.Equal("policy bare: its flows are left alone, since it has no option interface", Assert.Single(config.Notes));
    }

    [Fact]
    public void A_name_with_a_set_says_what_beside_it_is_not_understood()
    {
        string policy = Policy("vpn", "option dest_addr 'office.example.org'", "option src_addr '@br-guest'");
        ImportedConfig config = PbrConfigTests.Read(PbrConfigTests.Enabled + policy + Rest);
        Assert.Equal("keep", Assert.Single(config.Sets).Path);
        Assert.Equal(
            "policy under test: of the flows to the names of its option dest_addr, those are left alone that it could concern, "
            + "since option src_addr '@br-guest' is not understood here",
            Assert.Single(config.Notes));
        Assert.Empty(config.Faults);
    }

    [Fact]
    public void Negated_ports_are_all_others()
    {
        ImportedConfig config = PbrConfigTests.Read(WithoutSets + Policy("vpn", "option dest_port '!80 1000-65535'") + Rest);
        Assert.Equal("vpn", config.Of(Client, "203.0.113.20", port: 81));
        Assert.Equal("vpn", config.Of(Client, "203.0.113.20", port: 999, IpProtocol.Udp));
        Assert.Equal("wanb", config.Of(Client, "203.0.113.20", port: 80));
        Assert.Equal("wanb", config.Of(Client, "203.0.113.20", port: 1000));
        Assert.Empty(config.Notes);
    }

    [Theory]
    [InlineData("prerouting output", "vpn")]
    [InlineData("PREROUTING", "vpn")]
    [InlineData("output", "wanb")]
    [InlineData("output forward", "keep")]
    public void A_policy_counts_in_each_of_its_chains(string chains, string path) =>
        Assert.Equal(
            path,
            PbrConfigTests.Read(WithoutSets + Policy("vpn", "option dest_addr '203.0.113.20'", $"option chain '{chains}'") + Rest)
                .Of(Client, "203.0.113.20"));

    [Fact]
    public void Interfaces_by_dscp_come_before_all_policies()
    {
        ImportedConfig config =
            PbrConfigTests.Read("config pbr 'config'\n option enabled '1'\n option vpn_dscp '10'\n option wanb_dscp '0'\n" + Rest);
        Assert.Equal("keep", config.Of(Client, "203.0.113.20"));
        Assert.Contains("section config: every flow", Assert.Single(config.Faults), StringComparison.Ordinal);
        Assert.Contains("option vpn_dscp '10'", config.Faults[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Sets_that_an_include_fills_come_before_all_policies()
    {
        ImportedConfig config =
            PbrConfigTests.Read(WithoutSets + "config include\n option path '/usr/share/pbr/pbr.user.netflix'\n" + Rest);
        Assert.Contains(
            "nft:inet/fw4/pbr_vpn_4_dst_ip_user@dst=vpn after 0", config.Sets.Select(Mwan3ConfigTests.Show), StringComparer.Ordinal);
        Assert.Contains(
            "nft:inet/fw4/pbr_vpn_4_src_ip_user@src=vpn after 0", config.Sets.Select(Mwan3ConfigTests.Show), StringComparer.Ordinal);
        Assert.All(config.Sets, set => Assert.False(set.IsAlwaysThere));
        Assert.Contains("option path '/usr/share/pbr/pbr.user.netflix'", Assert.Single(config.Notes), StringComparison.Ordinal);
        Assert.Empty(PbrConfigTests.Read(WithoutSets + "config include\n option path '/x'\n option enabled 0\n" + Rest).Sets);
    }

    private static string Policy(string path, params string[] options) =>
        $"config policy 'tested'\n option name 'under test'\n option interface '{path}'\n {string.Join("\n ", options)}\n";
}
