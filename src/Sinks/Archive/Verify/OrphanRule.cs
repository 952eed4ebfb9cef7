using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Sinks.Archive.Verify;

/// <summary>
/// Records of flows without a start: it was before the log began, or a gap took it. The gap's record may come later than theirs.
/// </summary>
internal sealed class OrphanRule(Action<Violation> report)
{
    private const int MostWaiting = 100_000;
    private const long Slack = 1_000_000_000; // ns: an entry's first event and its confirmation, or a gap's bounds

    private readonly List<(long From, long To)> _gaps = [];
    private readonly List<(Violation Violation, long Start)> _waiting = [];

    /// <summary>Where the log begins, ns since the Unix epoch.</summary>
    internal long Begin { get; set; }

    internal void Add(FlowGap gap)
    {
        if (!gap.HidesFlows)
            return;
        (long, long) span = (gap.From == 0 ? long.MinValue : gap.From - Slack, gap.To + Slack);
        _gaps.Add(span);
        _waiting.RemoveAll(orphan => Covers(span, orphan.Start));
    }

    internal void Add(Violation violation, long start)
    {
        if (start <= Begin + Slack || _gaps.Exists(gap => Covers(gap, start)))
            return;
        if (_waiting.Count < MostWaiting)
            _waiting.Add((violation, start));
        else
            report(violation);
    }

    internal void Finish() => _waiting.ForEach(orphan => report(orphan.Violation));

    private static bool Covers((long From, long To) gap, long start) => gap.From <= start && start <= gap.To;
}
