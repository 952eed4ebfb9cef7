using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Options;
using ConntrackStream.Service.Reclassify;
using ConntrackStream.Sinks.Reclassify;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Service.Tests.Reclassify;

/// <summary>What is refused before anything is asked of the kernel.</summary>
public sealed class ReclassifySetupTests
{
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
    [InlineData(nameof(ReclassifyOptions.Mwan3Config), "config interface 'wan'\n option enabled 1\nconfig strategy 'both'\n", "is mwan4's configuration, not mwan3's")]
    [InlineData(nameof(ReclassifyOptions.PbrConfig), "config interface 'wan'\n option enabled 1\n", "is not pbr's configuration")]
    [InlineData(nameof(ReclassifyOptions.NetworkConfig), "config wifi-device 'radio0'\n", "is not the network configuration")]
    public void A_file_that_is_not_what_it_is_said_to_be_is_refused(string key, string text, string problem)
    {
        string directory = Directory.CreateTempSubdirectory("cs-setup-").FullName;
        try
        {
            ReclassifyOptions options = Options();
            options.NetworkConfig = Write("network", "config interface 'wan'\n");
            options.Mwan3Config = Write("mwan3", "config interface 'wan'\n");
            string file = Write("other", text);
            typeof(ReclassifyOptions).GetProperty(key)!.SetValue(options, file);
            Assert.StartsWith($"Reclassify:{key}: {file} {problem}", Faults(options), StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }

        string Write(string name, string content)
        {
            string file = Path.Combine(directory, name);
            File.WriteAllText(file, content);
            return file;
        }
    }

    private static ReclassifyOptions Options() => new() { Enabled = true, Paths = ["wan mark=0x100/0x3f00", "lte mark=0x200/0x3f00"] };

    private static string Faults(ReclassifyOptions options) => Assert.Throws<ConfigurationException>(
        () => ReclassifySetup.Create(options, NetworkNamespace.Current, TimeProvider.System, NullLoggerFactory.Instance)).Message;
}
