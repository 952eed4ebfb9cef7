using System.Text;
using ConntrackStream.EventTap.Conntrack;

namespace ConntrackStream.EventTap.Tests.Conntrack;

/// <summary>The second column, by its name.</summary>
public sealed class ClashCountTests
{
    // /proc/net/stat/nf_conntrack of Linux 6.18, two processors
    private const string Text =
        "entries  clashres found new invalid ignore delete chainlength insert insert_failed drop early_drop icmp_error  "
        + "expect_new expect_create\n"
        + "0000016b  00000048 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000  "
        + "00000000 00000000\n"
        + "0000016b  0000004e 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000  "
        + "00000000 00000000\n";

    [Theory]
    [InlineData(Text, 0x48 + 0x4e)]
    [InlineData("entries  searched found\n0000016b  00000048 00000000\n", null)] // before Linux 5.10
    [InlineData("found clashres\n1 ff\n2\n", 0xff)]
    [InlineData("", null)]
    public void All_processors_together(string text, int? expected) =>
        Assert.Equal(expected, ClashCount.Sum(Encoding.ASCII.GetBytes(text)));
}
