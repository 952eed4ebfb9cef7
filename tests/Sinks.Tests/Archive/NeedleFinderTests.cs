using System.Text;
using ConntrackStream.Sinks.Archive;
using ConntrackStream.Tests;
using CsCheck;

namespace ConntrackStream.Sinks.Tests.Archive;

/// <summary>The framework's search is the oracle. Few letters, so that both bytes of a text are often equal and the text is not.</summary>
public sealed class NeedleFinderTests
{
    private static readonly Gen<byte> Letter = Gen.Int[0, 2].Select(static letter => (byte)('a' + letter));

    private static readonly Gen<(byte[] Text, byte[] Line, byte[] Gap)> Cases =
        Gen.Select(Letter.Array[0, 300], Letter.Array[1, 9], Letter.Array[1, 9]);

    [Fact]
    public void It_finds_what_comes_first_of_both() => Cases.Check(
        5000,
        static made =>
        {
            int line = made.Text.AsSpan().IndexOf(made.Line), gap = made.Text.AsSpan().IndexOf(made.Gap);
            int first = line < 0 || (gap >= 0 && gap < line) ? gap : line;
            Assert.Equal(first, new NeedleFinder(new LineNeedles(made.Line, made.Gap), made.Text).Find(made.Text));
        },
        static made => $"{Text(made.Line)} or {Text(made.Gap)} in {Text(made.Text)}");

    [Fact]
    public void Without_a_text_each_line_is_found_and_gaps_are_no_more_than_lines()
    {
        NeedleFinder finder = new(LineNeedles.AllLines, []);
        Assert.Equal(0, finder.Find("a line"u8));
        Assert.Equal(-1, finder.Find([]));
    }

    private static string Text(byte[] letters) => Encoding.ASCII.GetString(letters);
}
