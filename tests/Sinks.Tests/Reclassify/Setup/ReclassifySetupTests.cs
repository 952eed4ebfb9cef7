using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Sinks.Reclassify;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Setup;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Sinks.Tests.Reclassify.Setup;

/// <summary>What is refused before anything is asked of the kernel.</summary>
public sealed class ReclassifySetupTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("cs-setup-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_set_rule_that_never_counts_is_refused()
    {
        ReclassifyOptions options = Options();
        options.Sets = ["ipset:a=wan", "ipset:a@src=lte", "ipset:a=lte"];
        Assert.Equal("Reclassify:Sets: \"ipset:a=lte\" never counts: \"ipset:a=wan\" comes before it", Faults(options));
    }

    [Fact]
    public void A_file_that_is_wrong_is_named_once()
    {
        ReclassifyOptions options = Options();
        options.Mwan3Config = "/nowhere/mwan3";
        Assert.Equal("Reclassify:Mwan3Config: /nowhere/mwan3 does not exist, or is no file", Faults(options));
    }

    /// <summary>Else all of its rules would be passed over, and doctor content.</summary>
    [Theory]
    [InlineData(
        nameof(ReclassifyOptions.Mwan3Config), "config interface 'wan'\n option enabled 1\nconfig strategy 'both'\n",
        "is mwan4's configuration, not mwan3's")]
    [InlineData(nameof(ReclassifyOptions.PbrConfig), "config interface 'wan'\n option enabled 1\n", "is not pbr's configuration")]
    [InlineData(nameof(ReclassifyOptions.NetworkConfig), "config wifi-device 'radio0'\n", "is not the network configuration")]
    public void A_file_that_is_not_what_it_is_said_to_be_is_refused(string key, string text, string problem)
    {
        ReclassifyOptions options = Options();
        options.NetworkConfig = Write("network", "config interface 'wan'\n");
        options.Mwan3Config = Write("mwan3", "config interface 'wan'\n");
        string file = Write("other", text);
        typeof(ReclassifyOptions).GetProperty(key)!.SetValue(options, file);
        Assert.StartsWith($"Reclassify:{key}: {file} {problem}", Faults(options), StringComparison.Ordinal);
    }

    /// <summary>A set's place counts from the first rule of all. Nothing is started, so that no set can be looked up.</summary>
    [Fact]
    public async Task A_set_of_the_second_file_comes_after_the_rules_of_the_first()
    {
        ReclassifyOptions options = Options();
        options.NetworkConfig = Write("network", "config interface 'wan'\n option device 'eth1'\n");
        options.Mwan3Config = Write(
            "mwan3",
            "config interface 'wan'\n option enabled 1\nconfig member 'm'\n option interface 'wan'\nconfig policy 'p'\n"
            + " list use_member 'm'\n"
            + "config rule 'first'\n option use_policy 'p'\n option dest_ip '203.0.113.1'\n"
            + "config rule 'odd'\n option use_policy 'p'\n option src_iface 'guest'\n option family 'ipv6'\n");
        options.PbrConfig = Write(
            "pbr",
            "config pbr 'config'\n option enabled 1\n option resolver_set 'dnsmasq.nftset'\nconfig include\n option path '/x'\n"
            + "config policy 'named'\n option interface 'wan'\n option dest_addr 'office.example.org'\n");
        await using ReclassifyParts parts = ReclassifySetup.Create(
            options, NetworkNamespace.Current, TimeProvider.System, NullLoggerFactory.Instance, plugins: null);
        Assert.Equal(VerdictKind.None, parts.Sets!.Classify(To("203.0.113.1")).Kind);
        Assert.Equal("wan", parts.Classifiers.Classify(To("203.0.113.1")).Path);
        string? reason = parts.Sets.Classify(To("203.0.113.2")).Reason; // not an include's sets, which need not be there
        Assert.Equal("pbr policy named: nft:inet/fw4/pbr_wan_4_dst_ip_named@dst cannot be looked up", reason);
        Assert.StartsWith($"{options.Mwan3Config}: rule odd: every flow", Assert.Single(parts.Faults), StringComparison.Ordinal);

        static FlowQuestion To(string destination) => new(
            new FlowTuple
            {
                Family = FlowFamily.IPv4,
                Protocol = IpProtocol.Tcp,
                Source = IpAddress.From(System.Net.IPAddress.Parse("10.0.0.2")),
                Destination = IpAddress.From(System.Net.IPAddress.Parse(destination)),
            },
            0,
            null);
    }

    private static ReclassifyOptions Options() => new() { Enabled = true, Paths = ["wan mark=0x100/0x3f00", "lte mark=0x200/0x3f00"] };

    private static string Faults(ReclassifyOptions options) => Assert.Throws<ConfigurationException>(
        () => ReclassifySetup.Create(
            options, NetworkNamespace.Current, TimeProvider.System, NullLoggerFactory.Instance, plugins: null)).Message;

    private string Write(string name, string content)
    {
        string file = Path.Combine(_directory, name);
        File.WriteAllText(file, content);
        return file;
    }
}
