using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.Tests.Text;

/// <summary>Lines of connlabel.conf as libnetfilter_conntrack 1.0.9 reads them (labels.c).</summary>
public sealed class ConntrackLabelsTests
{
    [Theory]
    [InlineData("5 five", "five", 5)]
    [InlineData("  \t5\t five and more \t", "five and more", 5)]
    [InlineData("0x1F hex", "hex", 31)]
    [InlineData("010 octal", "octal", 8)]
    [InlineData("5five", "five", 5)]
    [InlineData("1023 last", "last", 1023)]
    [InlineData("128 beyond-the-kernel", "beyond-the-kernel", 128)]
    public void A_line_is_a_bit_and_a_name(string line, string name, int bit)
    {
        ConntrackLabels labels = ConntrackLabels.Parse([line]);
        Assert.True(labels.TryGetBit(name, out int found));
        Assert.Equal((bit, name), (found, labels.NameOf(bit)));
    }

    [Theory]
    [InlineData("#5 five")]
    [InlineData("five 5")]
    [InlineData("1024 beyond")]
    [InlineData("99999999999999999999 beyond")]
    [InlineData("-1 below")]
    [InlineData("5")]
    [InlineData("5 five_")]
    [InlineData("")]
    public void Other_lines_are_passed_over(string line) => Assert.True(ConntrackLabels.Parse([line]).IsEmpty);

    [Fact]
    public void The_first_of_two_bits_or_names_counts()
    {
        ConntrackLabels labels = ConntrackLabels.Parse(["5 five", "5 other", "6 five"]);
        Assert.Equal(("five", null), (labels.NameOf(5), labels.NameOf(6)));
        Assert.False(labels.TryGetBit("other", out _));
    }
}
