using System.Text;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.Tests.Text;

public sealed class LineBufferTests
{
    private const int Max = 4096;

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(100_000)]
    public async Task Lines_are_the_same_however_they_come(int piece)
    {
        string text =
            $"a\n\n{new string('b', Max)}\n{new string('c', Max + 1)}\nd\n{new string('e', 9000)}\nf\nhalf";
        Assert.Equal(["a", "", new string('b', Max), "TOO LONG", "d", "TOO LONG", "f"], await ReadAsync(text, piece));
    }

    [Fact]
    public async Task A_line_without_end_counts_again_for_each_buffer()
    {
        List<string> lines = await ReadAsync(new string('x', 1024 * 1024) + "\nend\n", 4096);
        Assert.Equal("end", lines[^1]);
        Assert.InRange(lines.Count, 32, 128);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(100_000)]
    public async Task A_line_without_end_is_reported_once_by_default(int piece) =>
        Assert.Equal(["a", "TOO LONG", "end"], await ReadAsync($"a\r\n{new string('x', 100_000)}\nend\n", piece, reportsAgain: false));

    private static async Task<List<string>> ReadAsync(string text, int piece, bool reportsAgain = true)
    {
        LineBuffer reader = new(new PieceStream(Encoding.ASCII.GetBytes(text), piece), Max, reportsAgain);
        List<string> lines = [];
        while (await reader.FillAsync(TestContext.Current.CancellationToken))
        {
            while (reader.TryTake(out ReadOnlySpan<byte> line, out bool isTooLong))
                lines.Add(isTooLong ? "TOO LONG" : Encoding.ASCII.GetString(line));
        }

        return lines;
    }

    /// <summary>Gives at most so many bytes at a time.</summary>
    private sealed class PieceStream(byte[] bytes, int piece) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(piece, buffer.Length)], cancellationToken);
    }
}
