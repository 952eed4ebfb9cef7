using ConntrackStream.Sinks.Archive;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Sinks.Tests.Archive;

public sealed class TimeSearchTests : IDisposable
{
    private const int Flows = 40_000; // some 18 MB

    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void No_record_of_the_window_lies_outside_the_bounds(bool withDump)
    {
        // a dump's starts are as old as its flows, and there are 4 MB of them in a row
        byte[] content = LogLines.Bytes(Enumerable.Range(1, Flows).Select(flow =>
            withDump && flow is > 20_000 and < 30_000 ? LogLines.Start(flow, -flow, origin: "dump") : LogLines.Start(flow, flow)));
        File.WriteAllBytes(_path, content);
        using SafeFileHandle file = File.OpenHandle(_path);
        int lineLength = content.Length / Flows;
        foreach (int second in (int[])[0, 1, 999, 15_000, 20_000, 25_000, 30_001, 39_999, 40_001])
        {
            long begin = TimeSearch.Below(file, content.Length, LogLines.At(second), out _);
            TimeSearch.Below(file, content.Length, LogLines.At(second + 0.5), out long end);
            Assert.True(begin == 0 || content[begin - 1] == '\n');
            long place = (long)second * lineLength;
            if (second is > 0 and <= Flows && !(withDump && second is > 20_000 and < 30_000))
                Assert.InRange(content.AsSpan().IndexOf(LogLines.Bytes(LogLines.Start(second, second))[..^1]), begin, end);
            if (!withDump)
                Assert.InRange(end - begin, 0, 4 * 1024 * 1024);
            Assert.True(begin <= place + (1024 * 1024));
        }
    }

    [Fact]
    public void A_place_within_a_line_leads_to_the_next_line()
    {
        byte[] content = LogLines.Bytes(LogLines.Start(1, 1), LogLines.Start(2, 2));
        File.WriteAllBytes(_path, content);
        using SafeFileHandle file = File.OpenHandle(_path);
        int second = content.AsSpan().IndexOf((byte)'\n') + 1;
        Assert.Equal(0, TimeSearch.LineFrom(file, 0, content.Length));
        Assert.Equal(second, TimeSearch.LineFrom(file, 1, content.Length));
        Assert.Equal(second, TimeSearch.LineFrom(file, second, content.Length));
        Assert.Equal(content.Length, TimeSearch.LineFrom(file, second + 1, content.Length));
    }
}
