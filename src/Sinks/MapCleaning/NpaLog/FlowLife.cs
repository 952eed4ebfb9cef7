using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.MapCleaning.NpaLog;

/// <summary>What the flow log has told so far of a flow that has not ended.</summary>
internal sealed class FlowLife(FlowTuple original, long? start, long seen)
{
    // NEW's time and the kernel's own start of the same flow differ by less, as a rule; where they do not, its life is told as two, one
    // after the other.
    private const long SameStartNs = 1_000_000;

    internal FlowTuple Original { get; } = original;

    /// <summary>ns since the Unix epoch; null = unknown.</summary>
    internal long? Start { get; private set; } = start;

    /// <summary>Known to be alive from here on, ns since the Unix epoch.</summary>
    internal long AliveFrom { get; private set; } = start ?? seen;

    /// <summary>Time of its last record, ns since the Unix epoch.</summary>
    internal long LastSeen { get; private set; } = seen;

    /// <summary>Known to be alive up to here, unless it ends before: records may have been lost since.</summary>
    internal long SureUntil { get; private set; } = long.MaxValue;

    /// <summary>A record with this start is of a later flow.</summary>
    internal bool IsBefore(long? start) => start > LastSeen + SameStartNs;

    /// <summary>
    /// A further record of it, not <see cref="IsBefore"/>. With its start it is surely the same flow, whatever was lost in between;
    /// without, another one may have had the tuple meanwhile.
    /// </summary>
    internal void Confirm(long? start, long seen)
    {
        LastSeen = Math.Max(LastSeen, seen);
        if (start is not { } begin)
            return;
        SureUntil = long.MaxValue;
        if (Start is not null)
            return;
        Start = begin;
        AliveFrom = begin;
    }

    internal void DoubtAfter(long time) => SureUntil = Math.Min(SureUntil, time);

    /// <param name="end">It ended then, ns since the Unix epoch; <see cref="long.MaxValue"/> = it did not.</param>
    internal Verdict At(AgentTime time, long end)
    {
        if (end <= time.From)
            return Verdict.Dead;
        if (AliveFrom > time.Last)
            return Start is null ? Verdict.Possibly : Verdict.Dead;
        return AliveFrom <= time.From && end > time.Last && time.Last <= SureUntil ? Verdict.Alive : Verdict.Possibly;
    }
}
