using System.Collections.Concurrent;
using ConntrackStream.Sinks.Archive.Index;
using ConntrackStream.Sinks.Files;

namespace ConntrackStream.Sinks.Archive.Who;

/// <summary>
/// What the indexes of files know about a question: which lines have to be read, so that the answer is the one that reading everything
/// gives.
/// <list type="bullet">
/// <item>A flow's records may lie in several files. What the indexes know about it is put together by its id. It is left out if its
/// records are at most one start, then updates, then at most one end, and that end is before the window or the start after it. Of every
/// other flow all lines are read, and no line of one that is left out.</item>
/// <item>Flows that were found in files without an index are read whole, too.</item>
/// <item>Gaps and lines that cannot be read are in the index as they are.</item>
/// </list>
/// </summary>
internal sealed class IndexedSearch(WhoQuestion question, int most = IndexedSearch.MostFlows)
{
    /// <summary>About 200 bytes each. Of more, everything is read.</summary>
    internal const int MostFlows = 50_000;

    private const long NanosecondsPerSecond = 1_000_000_000;

    private readonly ConcurrentDictionary<ArchiveMember, (List<IndexedFlow> Flows, List<OddLine> Odd)> _known = [];
    private readonly HashSet<IndexedId> _wanted = [];
    private ArchiveMember[] _inOrder = [];

    internal bool IsNone => _known.IsEmpty;

    /// <summary>How many have an index.</summary>
    internal int Files => _known.Count;

    internal bool Has(WhoUnit unit) => _known.ContainsKey(unit.Member);

    /// <summary>Asks the indexes; one that is damaged, or does not help, is left aside.</summary>
    internal void Open(IReadOnlyList<WhoUnit> units, ParallelOptions options)
    {
        if (question.Reach is not null)
            return; // less is read than an index covers
        long total = 0;
        _inOrder = [.. units.Select(static unit => unit.Member).Where(static member => member.Index is ArchiveIndex).Distinct()];
        Parallel.ForEach(_inOrder, options, member =>
        {
            ArchiveIndex index = (ArchiveIndex)member.Index!;
            if (index.IsEmpty)
                return;
            List<IndexedFlow> found = [];
            try
            {
                List<OddLine> odd = index.OddLines();
                index.Find(question.Family, question.Address, question.Port, found, most);
                if (Interlocked.Add(ref total, found.Count) <= most)
                    _known[member] = (found, odd);
            }
            catch (Exception e) when (e is ArchiveDamageException or IOException)
            {
                member.IsIndexDamaged = true;
            }
        });
        if (total > most)
            _known.Clear();
    }

    /// <param name="others">Flows that were found in other files.</param>
    internal void Choose(IEnumerable<LifeKey> others)
    {
        Dictionary<IndexedId, Life> lives = [];
        foreach (IndexedFlow flow in _inOrder.Where(_known.ContainsKey).SelectMany(member => _known[member].Flows))
            lives[flow.Id] = lives.TryGetValue(flow.Id, out Life life) ? life.With(flow) : Life.Of(flow);
        foreach ((IndexedId id, Life life) in lives)
        {
            if (life.MayOverlap(Seconds(question.From), Seconds(question.To) + 1))
                _wanted.Add(id);
        }

        foreach (LifeKey key in others)
            _wanted.Add(IndexedId.Of(key.Id, key.Host, key.NetworkNamespace));
    }

    /// <summary>Hands out the lines of a part of a log that matter.</summary>
    /// <returns>Bytes of content that were read.</returns>
    /// <exception cref="ArchiveDamageException">The file is damaged.</exception>
    internal long Read(WhoUnit unit, FoundLine onLine, CancellationToken cancellation)
    {
        (List<IndexedFlow> flows, List<OddLine> odd) = _known[unit.Member];
        (long begin, long end) = unit.File.Compression == Compression.None ? (unit.Begin, unit.End) : (0, long.MaxValue);
        long[] wanted =
        [
            .. flows.Where(flow => _wanted.Contains(flow.Id)).SelectMany(static flow => flow.Lines)
                .Where(at => begin <= at && at < end).Distinct().Order(),
        ];
        OddLine[] between = [.. odd.Where(line => begin <= line.At && line.At < end)];
        LineNeedles needles = question.Needles(unit.Format);
        int next = 0;
        long bytes = 0;
        if (wanted.Length > 0)
        {
            using ArchiveBytes source = unit.Read();
            LineFetch lines = new(source, unit.File.Compression == Compression.None ? begin : 0);
            foreach (long at in wanted)
            {
                cancellation.ThrowIfCancellationRequested();
                for (; next < between.Length && between[next].At < at; next++)
                    needles.HandOut(between[next].Text, onLine);
                needles.HandOut(lines.At(at), onLine);
            }

            bytes = lines.Bytes;
        }

        for (; next < between.Length; next++)
            needles.HandOut(between[next].Text, onLine);
        return bytes;
    }

    /// <summary>Rounded down.</summary>
    private static long Seconds(long time) => (long)Math.Floor((decimal)time / NanosecondsPerSecond);

    /// <summary>What all indexes know of a flow together.</summary>
    /// <param name="From">It did not begin earlier; null: unknown.</param>
    /// <param name="To">It ended, and not later; null: no end is known.</param>
    private readonly record struct Life(long? From, long? To, bool IsStrange)
    {
        internal static Life Of(in IndexedFlow flow) => new(flow.From, flow.To, flow.IsStrange);

        /// <param name="flow">In a later part of the log.</param>
        internal Life With(in IndexedFlow flow) => new(
            From is null || flow.From is null ? null : Math.Min(From.Value, flow.From.Value),
            To is null ? flow.To : flow.To is null ? To : Math.Max(To.Value, flow.To.Value),
            IsStrange || flow.IsStrange || flow.IsBegun || To is not null);

        internal bool MayOverlap(long from, long to) => IsStrange || ((From is null || From <= to) && (To is null || To >= from));
    }
}
