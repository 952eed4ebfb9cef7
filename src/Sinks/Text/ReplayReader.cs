using System.Runtime.CompilerServices;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Sinks.Text;

/// <summary>
/// Reads a recorded stream: flow-log records (NDJSON or text form) and lines of <c>conntrack -E</c>, <c>conntrack -L</c> or
/// /proc/net/nf_conntrack, which of them is told by each line. Not thread-safe; for one reading.
/// </summary>
/// <remarks>
/// A line that carries no time takes the time of the last one that did; before any, the time it is read at, so that a live
/// <c>conntrack -E</c> piped in is right. A row of a list becomes a New: the flow is known from then on. The tool's warning of
/// ENOBUFS becomes a gap of unknown size.
/// </remarks>
public sealed class ReplayReader(Stream stream, FlowBatchPool pool, TimeProvider time, ReplayOptions options) : IReplayReader
{
    private static readonly byte[] ByteOrderMark = [0xEF, 0xBB, 0xBF];

    private readonly LineBuffer _lines = new(stream);
    private readonly Queue<ReplayItem> _ready = new();
    private FlowBatch? _batch;
    private long _lastTime; // of the last line that carried one, ns since the Unix epoch; 0 = none yet

    /// <summary>Lines read so far, blank and bad ones included.</summary>
    public long Lines { get; private set; }

    public long Events { get; private set; }

    public long Gaps { get; private set; }

    /// <summary>Lines that could not be read.</summary>
    public long BadLines { get; private set; }

    /// <summary>The first of them; without <see cref="ReplayOptions.SkipBad"/> the reading ended there.</summary>
    public ReplayProblem? FirstProblem { get; private set; }

    private bool HasFailed => FirstProblem is not null && !options.SkipBad;

    /// <summary>The recording in its order, handed on whenever a batch is full or no more input is there at the moment.</summary>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    public async IAsyncEnumerable<ReplayItem> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        try
        {
            while (!HasFailed)
            {
                bool isOpen = await _lines.FillAsync(cancellationToken).ConfigureAwait(false);
                TakeLines();
                while (_ready.TryDequeue(out ReplayItem item))
                    yield return item;
                if (!isOpen)
                    yield break;
            }
        }
        finally
        {
            while (_ready.TryDequeue(out ReplayItem item)) // given up in between
                item.Batch?.Release();
            _batch?.Release();
        }
    }

    /// <summary>All whole lines there are; at most a buffer full.</summary>
    private void TakeLines()
    {
        while (!HasFailed && _lines.TryTake(out ReadOnlySpan<byte> line, out bool tooLong))
        {
            Lines++;
            if (Lines == 1 && line.StartsWith(ByteOrderMark))
                line = line[ByteOrderMark.Length..];
            string? problem = FormattableString.Invariant($"longer than {LineBuffer.MaxLineBytes} bytes");
            if (!tooLong)
                Take(line, out problem);
            if (problem is null)
                continue;
            BadLines++;
            FirstProblem ??= new ReplayProblem(Lines, problem);
        }

        HandOn();
    }

    private void Take(ReadOnlySpan<byte> line, out string? problem)
    {
        FlowBatch batch = _batch ??= pool.Rent();
        ref FlowEvent e = ref batch.Next();
        long fallback = _lastTime != 0 ? _lastTime : Now();
        e.Time = fallback;
        FlowGap? gap = null;
        bool read = line.TrimStart((byte)' ').StartsWith("{"u8)
            ? FlowRecordParser.TryParse(line, ref e, batch.RentExtras, out gap, out problem)
            : TextGapParser.IsComment(line) ? TextGapParser.TryParse(line, out gap, out problem)
            : ConntrackTextParser.TryParse(line, ref e, batch.RentExtras, options.Text, out problem);
        if (gap is null && ConntrackTextParser.IsLossWarning(line))
            gap = new FlowGap(FlowGapReason.Overrun, From: _lastTime, To: fallback, Lost: null, Recovered: null);
        if (gap is not null)
            Add(gap);
        else if (read)
            Add(batch, ref e, fallback);
    }

    private void Add(FlowBatch batch, ref FlowEvent e, long fallback)
    {
        if (e.Time != fallback)
            _lastTime = e.Time;
        if (e.Type == FlowEventType.Row)
            e.Type = FlowEventType.New;
        batch.Commit();
        Events++;
        if (batch.IsFull)
            HandOn();
    }

    /// <summary>In its place between the events.</summary>
    private void Add(FlowGap gap)
    {
        HandOn();
        _ready.Enqueue(new ReplayItem(Batch: null, gap));
        Gaps++;
    }

    private void HandOn()
    {
        if (_batch is not { Count: > 0 } batch)
            return;
        _ready.Enqueue(new ReplayItem(batch, Gap: null));
        _batch = null;
    }

    private long Now() => time.UnixNanoseconds();
}
