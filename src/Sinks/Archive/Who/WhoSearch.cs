using System.Collections.Concurrent;
using System.Globalization;
using ConntrackStream.Sinks.Archive.Index;

namespace ConntrackStream.Sinks.Archive.Who;

/// <summary>
/// Answers a question from an archive, on all processors. Memory: half a MiB for each, and the flows that match. What has an index is not
/// read through; see <see cref="IndexedSearch"/>.
/// </summary>
/// <param name="onProgress">Called with bytes of the files that have been read since the last call, from several threads.</param>
/// <param name="mostLives">Flows kept in memory.</param>
internal sealed class WhoSearch(
    WhoQuestion question, int processors, Action<long>? onProgress = null, int mostLives = LifeTable.MostLives)
{
    private readonly Dictionary<LifeKey, FlowLife> _lives = [];
    private readonly List<FoundGap> _gaps = [];
    private readonly List<ArchiveFault> _faults = [];
    private readonly Lock _lock = new();
    private long?[] _ends = [];
    private long _bytes;
    private bool _isFull;

    /// <summary>How many files were not read through.</summary>
    internal int Indexed { get; private set; }

    internal WhoAnswer Run(ArchiveSet archive, IReadOnlyList<WhoUnit> units, CancellationToken cancellation)
    {
        _ends = new long?[archive.Logs.Count];
        ParallelOptions options = new() { MaxDegreeOfParallelism = processors, CancellationToken = cancellation };
        IndexedSearch indexes = new(question);
        indexes.Open(units, options);
        Scan(units.Where(unit => !indexes.Has(unit)), archive, options);
        if (!indexes.IsNone)
        {
            // a flow that is in both must be known whole
            indexes.Choose(_lives.Keys);
            Parallel.ForEach(
                Partitioner.Create(units.Where(indexes.Has), EnumerablePartitionerOptions.NoBuffering), options,
                unit => Read(unit, archive.Logs[unit.Log].Name, indexes, cancellation));
            Indexed = indexes.Files;
        }

        return Conclude(archive, units);
    }

    private void Scan(IEnumerable<WhoUnit> units, ArchiveSet archive, ParallelOptions options) => Parallel.ForEach(
        Partitioner.Create(units, EnumerablePartitionerOptions.NoBuffering), options, static () => new LineScan(),
        (unit, _, scan) =>
        {
            Read(unit, archive.Logs[unit.Log].Name, scan, options.CancellationToken);
            return scan;
        },
        static _ => { });

    private void Read(WhoUnit unit, string log, LineScan scan, CancellationToken cancellation)
    {
        LifeTable table = new(question, unit.Log, unit.Number, log, unit.Format, mostLives);
        string? problem = null;
        try
        {
            using ArchiveBytes source = unit.Read();
            long before = 0;
            scan.Run(
                source, question.Needles(unit.Format), table.Add,
                _ =>
                {
                    onProgress?.Invoke(source.Consumed - before);
                    before = source.Consumed;
                },
                cancellation, takesTorn: !unit.File.MayGrow);
        }
        catch (Exception e) when (e is ArchiveDamageException or IOException)
        {
            problem = e.Message;
        }

        lock (_lock)
        {
            if (scan.IsTorn && !unit.File.MayGrow)
                Fault(unit, $"ends within a line: what followed is lost");
            if (scan.HasZeros)
                Fault(unit, $"has bytes that are zero, as a power failure leaves them: the records that stood there are lost");
            if (scan.TooLong > 0)
                Fault(unit, $"has {scan.TooLong} lines that are too long to be records");
            Merge(unit, table, scan.LastTime, scan.Bytes, problem);
        }
    }

    private void Read(WhoUnit unit, string log, IndexedSearch indexes, CancellationToken cancellation)
    {
        LifeTable table = new(question, unit.Log, unit.Number, log, unit.Format, mostLives);
        string? problem = null;
        long bytes = 0;
        try
        {
            bytes = indexes.Read(unit, table.Add, cancellation);
        }
        catch (Exception e) when (e is ArchiveDamageException or IOException)
        {
            problem = e.Message;
        }

        onProgress?.Invoke(unit.Length);
        lock (_lock)
            Merge(unit, table, ((ArchiveIndex)unit.Member.Index!).LastTime, bytes, problem);
    }

    private void Merge(WhoUnit unit, LifeTable table, long? lastTime, long bytes, string? problem)
    {
        foreach ((LifeKey key, FlowLife life) in table.Lives)
        {
            if (_lives.TryGetValue(key, out FlowLife? known))
                known.Add(life);
            else if (_lives.Count < mostLives)
                _lives.Add(key, life);
            else
                _isFull = true;
        }

        _isFull |= table.IsFull;
        _gaps.AddRange(table.Gaps);
        _bytes += bytes;
        foreach (long? time in (ReadOnlySpan<long?>)[unit.IsLast ? lastTime : null, unit.GoesOnAt])
            _ends[unit.Log] = _ends[unit.Log] >= time || time is null ? _ends[unit.Log] : time;
        if (problem is not null)
            _faults.Add(new ArchiveFault(unit.File.Path, problem));
        if (table.BadLines > 0)
            Fault(unit, $"has {table.BadLines} lines with the address, or of gaps, that cannot be read: {table.FirstProblem}");
    }

    private void Fault(WhoUnit unit, FormattableString problem) =>
        _faults.Add(new ArchiveFault(unit.File.Path, problem.ToString(CultureInfo.InvariantCulture)));

    private WhoAnswer Conclude(ArchiveSet archive, IReadOnlyList<WhoUnit> units)
    {
        WhoVerdict verdict = new(question);
        if (archive.Logs.Count == 0)
            verdict.Add("no_log", null, "no flow log was found");
        for (int log = 0; log < archive.Logs.Count; log++)
        {
            IReadOnlyList<ArchiveMember> members = archive.Logs[log].Members;
            long? begins = members.Min(static member => member.FirstTime);
            long? latest = members.Max(static member => member.FirstTime);
            long? ends = _ends[log] > latest || latest is null ? _ends[log] : latest;
            verdict.AddLog(archive.Logs[log].Name, begins, ends, isInOrder: members[^1].Head.Format != RecordFormat.Text);
        }

        verdict.AddGaps(_gaps);
        verdict.AddFaults(archive.Faults.Concat(_faults.Distinct().OrderBy(static fault => fault.Path, StringComparer.Ordinal)));
        if (_isFull)
            verdict.Add("too_many_flows", null, "more flows match than can be kept in memory: name a port, or use filters");
        verdict.AddReach();
        verdict.AddOthers(archive.Others);
        FoundGap[] restarts = [.. _gaps.Where(gap => gap.IsRestart && gap.Gap.To < question.From)];
        FlowLife[] flows =
        [
            .. Lives().Where(life => life.Overlaps(question.From, question.To) && !HasEndedUnseen(life, restarts))
                .OrderBy(static life => life.Start).ThenBy(static life => life.Key.Id)
                .ThenBy(static life => life.Key.Host, StringComparer.Ordinal)
                .ThenBy(static life => life.Key.NetworkNamespace, StringComparer.Ordinal),
        ];
        SameConnection.Mark(flows);
        return new WhoAnswer(
            flows, verdict.Missing, verdict.Notes, units.Select(static unit => unit.File).Distinct().Count(), _bytes);
    }

    private IEnumerable<FlowLife> Lives()
    {
        ILookup<bool, FlowLife> lives = _lives.Values.ToLookup(static life => life.Key.Part is not null);
        return lives[false].Concat(TextLives.Join(lives[true]));
    }

    /// <summary>It was open when the service ended, and the next run did not find it again: it ended in the gap.</summary>
    private static bool HasEndedUnseen(FlowLife life, FoundGap[] restarts) =>
        life.End == 0 && Array.Exists(restarts, restart => life.LastPlace.IsBefore(restart.Place));
}
