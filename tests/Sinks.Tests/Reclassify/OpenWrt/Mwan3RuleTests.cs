using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.OpenWrt;

namespace ConntrackStream.Sinks.Tests.Reclassify.OpenWrt;

/// <summary>What is not understood of a rule leaves exactly those flows alone that it could concern, and is named.</summary>
public sealed class Mwan3RuleTests
{
    private const string Client = "192.168.1.7";

    private const string Rest = "\nconfig rule 'rest'\n option use_policy 'cable_only'\n option family 'ipv4'\n";

    /// <summary>After a failover a client is rightly on the backup: its other flows hold it there.</summary>
    [Theory]
    [InlineData("1", "keep")]
    [InlineData("yes", "keep")]
    [InlineData("0", "fibre")]
    public void Flows_of_a_sticky_rule_are_left_alone(string sticky, string path)
    {
        ImportedConfig config = Read(
            "fibre_first", "option proto 'tcp'", "option dest_port '443'", $"option sticky '{sticky}'", "option timeout '300'");
        Assert.Equal(path, config.Of(Client, "203.0.113.20"));
        Assert.Equal("cable", config.Of(Client, "203.0.113.20", port: 80));
        Assert.Equal(
            path == "keep",
            config.Notes.Any(note =>
                note.StartsWith($"rule tested: its flows are left alone, since option sticky '{sticky}'", StringComparison.Ordinal)));
    }

    [Fact]
    public void Of_a_sticky_rule_with_a_set_the_members_flows_are_left_alone()
    {
        ImportedConfig config = Read("fibre_first", "option ipset 'app_1.v4'", "option sticky '1'");
        Assert.Equal("ipset:app_1.v4@dst=keep after 0", Mwan3ConfigTests.Show(Assert.Single(config.Sets)));
        Assert.Equal("cable", config.Of(Client, "203.0.113.20"));
        Assert.Empty(config.Faults);
    }

    [Theory]
    [InlineData("src_iface", "guest")]
    [InlineData("ipset", "! app_1")]
    [InlineData("proto", "quic")]
    [InlineData("proto", "tcp udp")]
    [InlineData("enabled", "0")]
    [InlineData("class", "gold")]
    [InlineData("src_ip", "192.168.1.0/24,2001:db8::/32")]
    [InlineData("src_ip", "192.168.1.0/24 192.168.3.0/24")]
    public void What_is_not_understood_takes_no_other_flows_from_later_rules(string option, string value)
    {
        ImportedConfig config = Read("fibre_first", "option dest_ip '203.0.113.20'", $"option {option} '{value}'");
        Assert.Equal("keep", config.Of(Client, "203.0.113.20"));
        Assert.Equal("cable", config.Of(Client, "203.0.113.21"));
        Assert.Contains(
            config.Notes,
            note => note.StartsWith("rule tested: its flows are left alone, since ", StringComparison.Ordinal)
                && note.Contains($"option {option}", StringComparison.Ordinal));
        Assert.Empty(config.Faults);
    }

    [Theory]
    [InlineData("80,https")]
    [InlineData("443-444")] // iptables writes ranges with a colon
    [InlineData("!80")]
    [InlineData("1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,443")]
    public void Ports_that_are_not_understood_leave_the_rules_flows_alone(string ports)
    {
        ImportedConfig config = Read("fibre_first", "option proto 'tcp'", "option dest_ip '203.0.113.20'", $"option dest_port '{ports}'");
        Assert.Equal("keep", config.Of(Client, "203.0.113.20"));
        Assert.Equal("cable", config.Of(Client, "203.0.113.20", protocol: IpProtocol.Udp));
        Assert.Equal("cable", config.Of(Client, "203.0.113.21"));
    }

    [Fact]
    public void A_name_could_be_any_address_and_those_beside_it_are_decided()
    {
        ImportedConfig config = Read("fibre_first", "option proto 'tcp'", "option dest_ip 'office.example.org,203.0.113.20'");
        Assert.Equal("fibre", config.Of(Client, "203.0.113.20"));
        Assert.Equal("keep", config.Of(Client, "203.0.113.21"));
        Assert.Equal("cable", config.Of(Client, "203.0.113.21", protocol: IpProtocol.Udp));
    }

    [Fact]
    public void A_rule_of_which_nothing_is_understood_is_a_fault()
    {
        ImportedConfig config = Read("fibre_first", "option src_iface 'guest'");
        Assert.Equal("keep", config.Of(Client, "203.0.113.21"));
        Assert.StartsWith(
            "rule tested: every flow that nothing before it decides is left alone", Assert.Single(config.Faults), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("option metric '1'", "keep")] // one more at the lowest metric, whose flows are not known here
    [InlineData("option metric 'x'", "keep")]
    [InlineData("option metric '300'", "cable")] // mwan3 takes none above 256
    [InlineData("option metric '9'", "cable")]
    public void A_policys_path_is_certain_only_where_every_member_is(string metric, string path)
    {
        string member = $"config member 'tested_member'\n option interface 'fibre'\n {metric}\nconfig policy 'tested_policy'\n"
            + " list use_member 'tested_member'\n list use_member 'c1'\n";
        Assert.Equal(
            path,
            Mwan3ConfigTests.Read(Mwan3ConfigTests.Interfaces + member + "config rule 'tested'\n option use_policy 'tested_policy'\n")
                .Of(Client, "203.0.113.20"));
    }

    /// <summary>One path for each family, and addresses of one of them.</summary>
    [Fact]
    public void Addresses_of_one_family_are_no_condition_of_the_others_path() =>
        Assert.Equal("fibre6", Read("fibre_first", "option src_ip '2001:db8::/32'").Of("2001:db8::7", "2001:db8:1::1"));

    /// <summary>mwan3 keeps no client on what is no uplink.</summary>
    [Fact]
    public void A_sticky_rule_to_no_uplink_is_like_any_other()
    {
        ImportedConfig config = Read("default", "option dest_ip '203.0.113.20'", "option sticky '1'");
        Assert.Contains("rule tested: its flows are left alone, since 'default' is no uplink", config.Notes, StringComparer.Ordinal);
    }

    [Fact]
    public void A_policy_whose_name_is_too_long_is_no_policy()
    {
        const string Name = "sixteen_letters_";
        string text = $"config policy '{Name}'\n list use_member 'c1'\nconfig rule 'tested'\n option use_policy '{Name}'\n";
        ImportedConfig config = Mwan3ConfigTests.Read(Mwan3ConfigTests.Interfaces + text);
        Assert.Equal("keep", config.Of(Client, "203.0.113.20"));
        string why = $"rule tested: its flows are left alone, since policy {Name} is longer than 15 characters, so mwan3 does not set it";
        Assert.Contains(why, config.Notes, StringComparer.Ordinal);
    }

    [Fact]
    public void Too_many_combinations_leave_the_rules_flows_alone()
    {
        string sources = string.Join(',', Enumerable.Range(1, 250).Select(static i => $"192.168.1.{i}"));
        string destinations = string.Join(',', Enumerable.Range(0, 300).Select(static i => $"10.{i / 250}.{i % 250}.1"));
        ImportedConfig config = Read("fibre_first", $"option src_ip '{sources}'", $"option dest_ip '{destinations}'");
        Assert.Equal("keep", config.Of(Client, "10.0.7.1"));
        Assert.Equal("cable", config.Of("192.168.2.7", "203.0.113.20"));
        Assert.InRange(config.Rules.Count, 1, 1000);
        Assert.Contains(config.Notes, static note => note.Contains("more than 65536 combinations of its values", StringComparison.Ordinal));
    }

    [Fact]
    public void An_uplink_that_is_no_path_is_a_member_all_the_same()
    {
        const string Odd = "config interface 'keep'\n option enabled '1'\nconfig member 'odd'\n option interface 'keep'\n"
            + "config policy 'both'\n list use_member 'odd'\n list use_member 'c1'\n";
        ImportedConfig config =
            Mwan3ConfigTests.Read(Mwan3ConfigTests.Interfaces + Odd + "config rule 'tested'\n option use_policy 'both'\n");
        Assert.Equal("keep", config.Of(Client, "203.0.113.20"));
    }

    private static ImportedConfig Read(string policy, params string[] options) => Mwan3ConfigTests.Read(
        $"{Mwan3ConfigTests.Interfaces}config rule 'tested'\n option use_policy '{policy}'\n {string.Join("\n ", options)}\n{Rest}");
}
