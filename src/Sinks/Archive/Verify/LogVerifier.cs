using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.Archive.Verify;

/// <summary>
/// Checks the records of one log, in its order: each id has one start and at most one end, belongs to one flow, and its counters never
/// fall; what is missing lies in a gap. Keeps the open flows (about 120 bytes each) and a bit for each one that has ended.
/// </summary>
internal sealed class LogVerifier
{
    /// <summary>Some 240 MB.</summary>
    internal const int MostOpen = 2_000_000;

    private readonly Dictionary<Guid, OpenFlow> _open = [];
    private readonly EndedIds _ended = new();
    private readonly SequenceRule _sequence = new();
    private readonly OrphanRule _orphans;
    private readonly Action<Violation> _report;
    private readonly int _mostOpen;
    private readonly FlowExtras _extras = new();
    private int _restarts;

    /// <param name="begin">First time that the log shows, ns since the Unix epoch.</param>
    /// <param name="report">Called for each violation.</param>
    /// <param name="mostOpen">Flows kept at once.</param>
    internal LogVerifier(long begin, Action<Violation> report, int mostOpen = MostOpen)
    {
        (_report, _mostOpen) = (report, mostOpen);
        _orphans = new OrphanRule(report) { Begin = begin };
    }

    internal long Records { get; private set; }

    internal long Gaps { get; private set; }

    internal long Flows { get; private set; }

    /// <summary>Flows without an end so far: alive, or ended within a gap.</summary>
    internal int Open => _open.Count;

    /// <summary>There was more than is kept: some checks could not be made.</summary>
    internal bool IsFull { get; private set; }

    internal void Check(string path, long number, ReadOnlySpan<byte> line, RecordFormat format = RecordFormat.Json)
    {
        FlowEvent e = default;
        ArchiveLine fields = default;
        bool isRead = ArchiveRecord.TryRead(format, line, ref e, ref fields, () => _extras, out FlowGap? gap, out string? problem);
        if (problem is not null)
        {
            Report(path, number, "record", problem);
            return;
        }

        Records++;
        if (_sequence.Check(fields, gap is not null, out bool isLate) is { } missing)
            Report(path, number, "sequence", missing);
        if (!isRead)
            return; // refused connections: of no flow
        if (gap is not null)
            CheckGap(path, number, gap);
        else if (fields.FlowId is not { } id)
            Report(path, number, "record", "it has no flow_id");
        else if (!isLate)
            CheckFlow(path, number, id, e, fields);
    }

    internal void Finish()
    {
        _orphans.Finish();
        IsFull |= _ended.IsFull;
    }

    private void CheckGap(string path, long number, FlowGap gap)
    {
        Gaps++;
        if (gap.From > gap.To)
            Report(path, number, "gap", "it ends before it begins");
        _restarts += gap.Reason is FlowGapReason.Restart ? 1 : 0;
        _orphans.Add(gap);
    }

    private void CheckFlow(string path, long number, Guid id, in FlowEvent e, in ArchiveLine fields)
    {
        bool isOpen = _open.TryGetValue(id, out OpenFlow flow), isEnded = !isOpen && _ended.Contains(id);
        if (isEnded)
        {
            (string rule, string detail) = e.Type switch
            {
                FlowEventType.New => ("id_twice", "starts again after its end"),
                FlowEventType.Destroy => ("second_end", "ends again"),
                _ => ("after_end", "has a record after its end"),
            };
            Report(path, number, rule, $"flow {id} {detail}");
            return;
        }

        if (!isOpen)
        {
            flow = new OpenFlow(e.Flow, _restarts);
            Flows++;
            if (e.Type != FlowEventType.New && !IsFull)
                _orphans.Add(
                    new Violation(path, number, "no_start", $"flow {id} has no start, and no gap can have taken it"),
                    e.Flow.Has(FlowFields.StartTime) ? e.Flow.StartTime : long.MinValue);
        }
        else if (e.Type == FlowEventType.New && (flow.Restarts == _restarts || !fields.Origin.SequenceEqual("dump"u8)))
        {
            Report(path, number, "id_twice", $"flow {id} starts again without an end, and not after a restart");
        }

        if (!flow.IsSame(e.Flow))
            Report(path, number, "incarnation", $"flow {id} has other addresses or ports than before");
        if (flow.Count(e.Flow) is { } fell)
            Report(path, number, "counters", $"flow {id}: {fell}");
        Keep(id, flow, isOpen, isEnd: e.Type == FlowEventType.Destroy);
    }

    private void Keep(Guid id, OpenFlow flow, bool isOpen, bool isEnd)
    {
        flow.Restarts = _restarts;
        if (isEnd)
        {
            _open.Remove(id);
            _ended.Add(id);
        }
        else if (isOpen || _open.Count < _mostOpen)
        {
            _open[id] = flow;
        }
        else
        {
            IsFull = true;
        }
    }

    private void Report(string path, long number, string rule, string detail) => _report(new Violation(path, number, rule, detail));
}
