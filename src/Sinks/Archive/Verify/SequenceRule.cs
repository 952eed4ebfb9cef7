using System.Text;

namespace ConntrackStream.Sinks.Archive.Verify;

/// <summary>
/// Sequence numbers of collected records: 1, 2, 3 … in each run; a gap with <c>seq_to</c> stands for several. Records that the collector
/// had given up, and that came after all, stand behind the gap. What is missing is kept, 10,000 ranges of it: a number that comes late
/// is another fault than one that comes again.
/// </summary>
internal sealed class SequenceRule
{
    private const int MostRanges = 10_000;

    private readonly List<Range> _givenUp = [], _missing = [];
    private string? _run;
    private byte[] _runBytes = [];
    private ulong _last;
    private bool _isFull; // not all that is missing is kept

    private readonly record struct Range(string Run, ulong First, ulong Last)
    {
        internal bool Holds(string run, ulong first, ulong last) => Run == run && First <= first && last <= Last;
    }

    /// <param name="isLate">It belongs before what was read already, into a gap.</param>
    /// <returns>What is wrong; null when all is well, or there are no numbers.</returns>
    internal string? Check(in ArchiveLine line, bool isGap, out bool isLate)
    {
        isLate = false;
        if (line.Sequence is not { } first || line.Run.IsEmpty)
            return null;
        ulong last = Math.Max(first, line.LastSequence ?? first);
        string run = line.Run.SequenceEqual(_runBytes) ? _run! : Encoding.ASCII.GetString(line.Run);
        bool isNext = run == _run && first == _last + 1;
        isLate = !isNext && _givenUp.Exists(range => range.Holds(run, first, last));
        if (isLate)
            return null;
        if (isGap && line.LastSequence is not null && _givenUp.Count < MostRanges)
            _givenUp.Add(new Range(run, first, last));
        if (!isNext && TakeMissing(run, first, last))
            return FormattableString.Invariant($"number {first} of run {run} comes late: it was missing before");
        bool isNewRun = run != _run;
        ulong expected = _run is null ? first : isNewRun ? 1 : _last + 1;
        string? problem = first == expected ? null
            : first > expected ? Miss(run, expected, first - 1)
            : FormattableString.Invariant($"number {first} of run {run} comes {(_isFull ? "again, or late" : "again")}, after {_last}");
        if (isNewRun)
            (_run, _runBytes) = (run, line.Run.ToArray());
        _last = isNewRun ? last : Math.Max(_last, last);
        return problem;
    }

    private string Miss(string run, ulong first, ulong last)
    {
        Keep(new Range(run, first, last));
        return FormattableString.Invariant($"numbers {first} to {last} of run {run} are missing without a gap");
    }

    /// <returns>They were missing; from now on they would come again.</returns>
    private bool TakeMissing(string run, ulong first, ulong last)
    {
        int at = _missing.FindIndex(range => range.Holds(run, first, last));
        if (at < 0)
            return false;
        Range range = _missing[at];
        _missing.RemoveAt(at);
        if (range.First < first)
            Keep(range with { Last = first - 1 });
        if (last < range.Last)
            Keep(range with { First = last + 1 });
        return true;
    }

    private void Keep(in Range range)
    {
        if (_missing.Count < MostRanges)
            _missing.Add(range);
        else
            _isFull = true;
    }
}
