using System.Text;

namespace ConntrackStream.Sinks.Archive.Verify;

/// <summary>
/// Sequence numbers of collected records: 1, 2, 3 … in each run; a gap with <c>seq_to</c> stands for several. Records that the collector
/// had given up, and that came after all, stand behind the gap.
/// </summary>
internal sealed class SequenceRule
{
    private const int MostRanges = 10_000;

    private readonly List<(string Run, ulong First, ulong Last)> _givenUp = [];
    private string? _run;
    private byte[] _runBytes = [];
    private ulong _last;

    /// <param name="isLate">It belongs before what was read already.</param>
    /// <returns>What is wrong; null when all is well, or there are no numbers.</returns>
    internal string? Check(in ArchiveLine line, bool isGap, out bool isLate)
    {
        isLate = false;
        if (line.Sequence is not { } first || line.Run.IsEmpty)
            return null;
        ulong last = Math.Max(first, line.LastSequence ?? first);
        string run = line.Run.SequenceEqual(_runBytes) ? _run! : Encoding.ASCII.GetString(line.Run);
        isLate = (run != _run || first != _last + 1) && WasGivenUp(run, first, last);
        if (isLate)
            return null;
        if (isGap && line.LastSequence is not null && _givenUp.Count < MostRanges)
            _givenUp.Add((run, first, last));
        bool isNewRun = run != _run;
        ulong expected = _run is null ? first : isNewRun ? 1 : _last + 1;
        string? problem = first == expected ? null
            : first > expected ? FormattableString.Invariant($"numbers {expected} to {first - 1} of run {run} are missing without a gap")
            : FormattableString.Invariant($"number {first} of run {run} comes again, after {_last}");
        if (isNewRun)
            (_run, _runBytes) = (run, line.Run.ToArray());
        _last = isNewRun ? last : Math.Max(_last, last);
        return problem;
    }

    private bool WasGivenUp(string run, ulong first, ulong last) =>
        _givenUp.Exists(range => range.Run == run && range.First <= first && last <= range.Last);
}
