using System.Text;
using ConntrackStream.Sinks.Archive;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Sinks.Tests.Archive;

public sealed class LineScanTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    /// <summary>Line by line is the oracle; the file is longer than several blocks, so lines lie across their bounds.</summary>
    [Fact]
    public void It_finds_the_lines_that_a_search_line_by_line_finds_and_gaps_at_their_place()
    {
        string[] lines =
        [
            .. Enumerable.Range(1, 5000).Select(static flow => flow % 997 == 0
                ? LogLines.Gap("overrun", flow - 1, flow, "7")
                : LogLines.Start(flow, flow)),
        ];
        List<string> found = Scan(LogLines.Bytes(lines), out LineScan scan);
        Assert.Equal(
            lines.Where(static line => line.Contains("\"10.0.0.1\"", StringComparison.Ordinal)
                || line.Contains("gap", StringComparison.Ordinal)),
            found, StringComparer.Ordinal);
        Assert.Equal(0, scan.TooLong);
        Assert.Equal(LogLines.At(5000), scan.LastTime);
    }

    [Fact]
    public void A_line_without_end_is_left_out_and_counted_and_those_behind_it_are_found()
    {
        string first = LogLines.Start(1, 1), last = LogLines.Start(251, 2);
        string endless = "\"10.0.0.1\"" + new string('x', 600_000);
        List<string> found = Scan(LogLines.Bytes(first, endless, last), out LineScan scan);
        Assert.Equal(1, scan.TooLong);
        Assert.Equal([first, last], found);
    }

    [Fact]
    public void A_line_that_is_still_being_written_waits()
    {
        string line = LogLines.Start(1, 1);
        Assert.Equal([line], Scan([.. LogLines.Bytes(line), .. LogLines.Bytes(line)[..^1]], out _));
    }

    private List<string> Scan(byte[] content, out LineScan scan)
    {
        File.WriteAllBytes(_path, content);
        using SafeFileHandle file = File.OpenHandle(_path);
        using PlainBytes bytes = new(file, 0, content.Length);
        scan = new LineScan();
        List<string> found = [];
        LineNeedles needles = new("10.0.0.1\""u8.ToArray(), RecordFormat.Json.GapNeedle());
        scan.Run(
            bytes, needles, (line, _) => found.Add(Encoding.UTF8.GetString(line)), null, TestContext.Current.CancellationToken);
        return found;
    }
}
