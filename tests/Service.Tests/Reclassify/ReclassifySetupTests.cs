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

    private static ReclassifyOptions Options() => new() { Enabled = true, Paths = ["wan mark=0x100/0x3f00", "lte mark=0x200/0x3f00"] };

    private static string Faults(ReclassifyOptions options) => Assert.Throws<ConfigurationException>(
        () => ReclassifySetup.Create(options, NetworkNamespace.Current, TimeProvider.System, NullLoggerFactory.Instance)).Message;
}
