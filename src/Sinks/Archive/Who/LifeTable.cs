using System.Text;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Archive.Index;

namespace ConntrackStream.Sinks.Archive.Who;

/// <summary>
/// Flows that match a question, put together from the lines of one part of a log, in the order of the log. A flow that began and ended in
/// it outside the window is forgotten at once; what reaches over the bounds of the part is kept for <see cref="WhoSearch"/>.
/// </summary>
internal sealed class LifeTable(
    WhoQuestion question, int log, int unit, string logName, RecordFormat format = RecordFormat.Json, int most = LifeTable.MostLives)
{
    /// <summary>About 400 bytes each.</summary>
    internal const int MostLives = 500_000;

    private readonly Dictionary<LifeKey, FlowLife> _lives = [];
    private readonly List<FoundGap> _gaps = [];
    private readonly FlowExtras _extras = new();
    private readonly TextLives? _text = format == RecordFormat.Text ? new TextLives(log, unit) : null;
    private string? _host, _networkNamespace;
    private byte[] _hostBytes = [], _namespaceBytes = [];
    private int _restarts;

    internal IReadOnlyDictionary<LifeKey, FlowLife> Lives => _lives;

    internal IReadOnlyList<FoundGap> Gaps => _gaps;

    /// <summary>Lines that were to be read and are no records.</summary>
    internal long BadLines { get; private set; }

    internal string? FirstProblem { get; private set; }

    /// <summary>There were more flows than are kept.</summary>
    internal bool IsFull { get; private set; }

    private LogPlace Place => new(log, unit, _restarts);

    internal void Add(ReadOnlySpan<byte> line, bool isGap)
    {
        FlowEvent e = default;
        ArchiveLine fields = default;
        if (format == RecordFormat.Json && QuickRecord.TryRead(line, ref e, ref fields) && !question.HasEnd(e.Flow))
            return; // the address with another port: of an address that NAT gives to all, most lines are such
        e = default;
        fields = default;
        if (!ArchiveRecord.TryRead(format, line, ref e, ref fields, () => _extras, out FlowGap? gap, out string? problem))
        {
            if (problem is not null)
                Fail(problem);
        }
        else if (gap is not null && isGap)
            Add(gap, Host(fields.Host));
        else if (gap is null && question.Matches(e.Flow))
            Add(e, fields);
    }

    private void Add(FlowGap gap, string? host)
    {
        FoundGap found = new(logName, host, gap, Place);
        if (found.IsRestart)
            found = found with { Place = new LogPlace(log, unit, ++_restarts) };
        if (gap.HidesFlows)
            _gaps.Add(found);
    }

    private void Add(in FlowEvent e, in ArchiveLine fields)
    {
        if (e.Flow.Has(FlowFields.StartTime) && e.Flow.StartTime > question.To)
            return;
        if (fields.FlowId is not { } id)
        {
            Fail("it has no flow_id");
            return;
        }

        LifeKey key = _text?.KeyOf(id, e, _lives) ?? new LifeKey(Host(fields.Host), NetworkNamespace(fields.NetworkNamespace), id);
        if (!_lives.TryGetValue(key, out FlowLife? life))
        {
            IsFull |= _lives.Count == most;
            if (IsFull)
                return;
            _lives.Add(key, life = new FlowLife(key, e.Flow with { Extras = null }));
        }

        life.Add(e.Type, e.Time, e.Flow with { Extras = null }, Place);
        if (life is { HasStartRecord: true, End: not 0 } && !life.Overlaps(question.From, question.To))
        {
            _lives.Remove(key);
            _text?.Forget(id);
        }
    }

    private void Fail(string? problem)
    {
        BadLines++;
        FirstProblem ??= problem;
    }

    private string? Host(ReadOnlySpan<byte> text) => Text(text, ref _hostBytes, ref _host);

    private string? NetworkNamespace(ReadOnlySpan<byte> text) => Text(text, ref _namespaceBytes, ref _networkNamespace);

    /// <summary>Nearly all records of a log have the same.</summary>
    private static string? Text(ReadOnlySpan<byte> text, ref byte[] lastBytes, ref string? last)
    {
        if (text.IsEmpty)
            return null;
        if (!text.SequenceEqual(lastBytes))
        {
            lastBytes = text.ToArray();
            last = Encoding.UTF8.GetString(text);
        }

        return last;
    }
}
