using ConntrackStream.Service.Conntrack.Syntax;

namespace ConntrackStream.Service.Tests.Cli;

/// <summary>getopt_long's habits, without a kernel.</summary>
public sealed class OptionReaderTests
{
    [Theory]
    [InlineData("-L", "L")]
    [InlineData("-Lz", "L=z")] // an optional argument is attached
    [InlineData("-zL", "z L")]
    [InlineData("-s1.1.1.1 -d 2.2.2.2", "s=1.1.1.1 d=2.2.2.2")]
    [InlineData("--src=a --dst b --sr c", "s=a d=b ?")] // --sr could be --src or --src-nat
    [InlineData("--dum --proto x", "L p=x")]
    [InlineData("--dump=x", "L=x")]
    [InlineData("--zero=x", "?")]
    [InlineData("-s", ":")]
    [InlineData("--src", ":")]
    [InlineData("-x --nothing -zx", "? ? z ?")]
    [InlineData("a -z b -L c", "z L")] // operands in between
    [InlineData("-z -- -L", "z")]
    [InlineData("-z - -L", "z L")]
    [InlineData("-zs", "z :")]
    public void Options_are_read_as_getopt_long_does(string line, string expected)
    {
        OptionReader reader = Read(line, inOrder: false);
        Assert.Equal(expected, string.Join(' ', All(reader)));
    }

    [Fact]
    public void The_first_operand_may_end_the_options()
    {
        OptionReader reader = Read("-z a -L", inOrder: true);
        Assert.Equal(["z"], All(reader), StringComparer.Ordinal);
        Assert.Equal(2, reader.Index);
    }

    [Fact]
    public void An_operand_may_be_taken_for_an_argument()
    {
        OptionReader reader = Read("b -L a -z", inOrder: false);
        Assert.Equal('L', reader.Next());
        Assert.Equal("a", reader.TakeOperand());
        Assert.Equal('z', reader.Next());
        Assert.Null(reader.TakeOperand());
        Assert.Equal(OptionReader.End, reader.Next());
    }

    [Theory]
    [InlineData("-I -s 1", "-I|-s|1")]
    [InlineData("  -I\t-s  1  ", "-I|-s|1")]
    [InlineData("a \"b c\" d", "a|b c|d")]
    [InlineData("a\"b \\\" c\"d", "ab \" c|d")]
    [InlineData("\"\" a", "|a")]
    [InlineData("a \"open", "a|open")]
    public void Lines_of_a_file_are_quoted_as_in_iptables_save(string line, string expected) =>
        Assert.Equal(expected.Split('|'), LoadFile.Words(line));

    [Fact]
    public void Words_and_lines_have_a_limit()
    {
        Assert.Throws<ConntrackFault>(() => LoadFile.Words(new string('a', 1024)));
        Assert.Throws<ConntrackFault>(() => LoadFile.Words(string.Join(' ', Enumerable.Repeat("a", 254))));
        Assert.Equal(253, LoadFile.Words(string.Join(' ', Enumerable.Repeat("a", 253))).Length);
        Assert.Equal(1023, LoadFile.Words(new string('a', 1023))[0].Length);
    }

    [Theory]
    [InlineData("10x", 10u)]
    [InlineData("0x1F", 31u)]
    [InlineData("010", 8u)]
    [InlineData(" +7", 7u)]
    [InlineData("-1", uint.MaxValue)]
    [InlineData("x", 0u)]
    [InlineData("0x", 0u)]
    [InlineData("99999999999999999999", uint.MaxValue)]
    public void Numbers_are_the_c_librarys(string text, uint expected) => Assert.Equal(expected, CNumber.ParseUInt32(text));

    private static OptionReader Read(string line, bool inOrder) =>
        new(["conntrack", .. line.Split(' ')], CommandParser.Letters, [.. LongOption.General], inOrder);

    private static IEnumerable<string> All(OptionReader reader)
    {
        int option;
        while ((option = reader.Next()) != OptionReader.End)
            yield return reader.Value is null ? $"{(char)option}" : $"{(char)option}={reader.Value}";
    }
}
