using ConntrackStream.Pipeline.Queues;

namespace ConntrackStream.Pipeline.Changes;

/// <summary>
/// Records that one sink did not get and has not yet been given a gap for. <see cref="From"/> is the earliest time among them, not the
/// first's: changes do not come in the order of their times.
/// </summary>
/// <param name="From">ns since the Unix epoch; 0 = unknown, which makes that of the whole unknown.</param>
/// <param name="To">ns since the Unix epoch.</param>
/// <param name="Lost">Changes, those that a lost gap of a sink had reported among them.</param>
/// <param name="Fresh">Those of them that no counter of drops knows yet, unlike what a gap of a sink reported.</param>
/// <param name="Refused">Deliveries refused by the kernel, as gaps among the lost changes reported.</param>
/// <param name="IsUnbounded">It is unknown how much a gap among the lost changes stood for.</param>
public record struct UntoldLoss(long From, long To, long Lost, long Fresh, long Refused = 0, bool IsUnbounded = false)
{
    public readonly bool IsEmpty => Lost == 0;

    /// <param name="to">ns since the Unix epoch; the upper bound, unless the change bears a later time.</param>
    public void Add(in FlowChange change, long to)
    {
        long until = Math.Max(to, change.Time);
        if (change.Gap is not { } lostGap)
        {
            (From, To) = IsEmpty ? (change.Time, until) : (Math.Min(From, change.Time), Math.Max(To, until));
            (Lost, Fresh) = (Lost + 1, Fresh + 1);
            return;
        }

        Add(lostGap switch
        {
            { Reason: FlowGapReason.SinkQueueFull or FlowGapReason.SinkFailed } gap =>
                new UntoldLoss(gap.From, until, gap.Lost ?? 1, Fresh: 0, IsUnbounded: gap.Lost is null),
            var gap =>
                new UntoldLoss(gap.From, until, Lost: 1, Fresh: 1, gap.Lost ?? 0, IsUnbounded: gap is { HidesFlows: true, Lost: null }),
        });
    }

    public void Add(in UntoldLoss other)
    {
        if (other.IsEmpty)
            return;
        this = IsEmpty
            ? other
            : new UntoldLoss(
                Math.Min(From, other.From), Math.Max(To, other.To), Lost + other.Lost, Fresh + other.Fresh, Refused + other.Refused,
                IsUnbounded || other.IsUnbounded);
    }

    /// <summary>Among what it counts is what the lost gaps had counted: no other record reports that.</summary>
    public readonly FlowGap ToGap(FlowGapReason reason) => new(reason, From, To, IsUnbounded ? null : Lost + Refused, Recovered: null);
}
