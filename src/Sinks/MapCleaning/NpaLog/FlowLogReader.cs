using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.MapCleaning.NpaLog;

/// <summary>Streams one file of the flow log (NDJSON) into a <see cref="DeleteJudge"/>.</summary>
internal sealed class FlowLogReader
{
    private static readonly Func<FlowExtras> NewExtras = static () => new FlowExtras();

    private long _lines;

    internal long Records { get; private set; }

    internal long BadLines { get; private set; }

    internal ReplayProblem? FirstProblem { get; private set; }

    /// <exception cref="IOException">The stream cannot be read.</exception>
    internal async Task ReadAsync(Stream stream, DeleteJudge judge, CancellationToken cancellation)
    {
        LineBuffer lines = new(stream);
        bool isOpen;
        do
        {
            isOpen = await lines.FillAsync(cancellation).ConfigureAwait(false);
            while (lines.TryTake(out ReadOnlySpan<byte> line, out bool tooLong))
                Take(line, tooLong, judge);
        }
        while (isOpen);
    }

    /// <summary>
    /// Time of the first record that is a kernel event or a gap, ns since the Unix epoch: it tells the order of rotated files.
    /// </summary>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    internal static async Task<long> FirstTimeAsync(Stream stream, CancellationToken cancellation)
    {
        LineBuffer lines = new(stream);
        bool isOpen;
        do
        {
            isOpen = await lines.FillAsync(cancellation).ConfigureAwait(false);
            while (lines.TryTake(out ReadOnlySpan<byte> line, out _))
            {
                FlowEvent e = default;
                if (FlowRecordParser.TryParse(line, ref e, NewExtras, out FlowGap? gap, out _) && (gap is not null || IsKernelEvent(line)))
                    return gap?.To ?? e.Time;
            }
        }
        while (isOpen);
        return long.MaxValue;
    }

    private void Take(ReadOnlySpan<byte> line, bool tooLong, DeleteJudge judge)
    {
        _lines++;
        FlowEvent e = default;
        FlowGap? gap = null;
        string? problem = FormattableString.Invariant($"longer than {LineBuffer.MaxLineBytes} bytes");
        if (tooLong || !FlowRecordParser.TryParse(line, ref e, NewExtras, out gap, out problem))
        {
            if (problem is null) // refused connections
                return;
            BadLines++;
            FirstProblem ??= new ReplayProblem(_lines, problem);
            return;
        }

        Records++;
        if (gap is not null)
            judge.Add(gap);
        else
            judge.Add(e, IsKernelEvent(line));
    }

    // FlowRecordParser leaves the origin out. No text of a record can hold this: its quotes would be escaped.
    private static bool IsKernelEvent(ReadOnlySpan<byte> line) => line.IndexOf("\"origin\":\"event\""u8) >= 0;
}
