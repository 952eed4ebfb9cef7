using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Pipeline.LiveView;

/// <summary>
/// Plain counters since start, written by the loop and read by polling. <c>/v1/status</c> has them by these names, in this order.
/// </summary>
public sealed class ViewCounters
{
    /// <summary>NEW over a live flow, taken for a repeat of the same event.</summary>
    public long DuplicateNew;

    /// <summary>Live flows that had ended unseen, as the NEW or DESTROY of a later one with the same tuple showed.</summary>
    public long Replaced;

    /// <summary>DESTROY of an earlier incarnation that came after its successor's NEW; ignored.</summary>
    public long LateDestroy;

    /// <summary>DESTROY of a flow the view does not hold (a repeat, or one that began and ended while events were lost).</summary>
    public long UnknownDestroy;

    /// <summary>UPDATE of a flow the view does not hold; another with its original tuple may be there.</summary>
    public long UnknownUpdate;

    /// <summary>Flows that began unseen while events were being lost, told by their DESTROY alone.</summary>
    public long SeenOnlyAtEnd;

    /// <summary>
    /// Entries beside another with the same original tuple (<see cref="Flow.IsClashLoser"/>), told whole by their DESTROY.
    /// </summary>
    public long ClashLosers;

    /// <summary>Other events of such entries; left out.</summary>
    public long ClashEvents;

    /// <summary>Flows and queries of a family other than IPv4 and IPv6.</summary>
    public long OtherFamily;

    /// <summary>Doubtful events settled by asking the kernel (GET).</summary>
    public long Verified;

    /// <summary>
    /// Doubtful events that were not settled so, since too many waited for the kernel's answer: the flow
    /// stayed, for the next round to judge.
    /// </summary>
    public long DoubtsGivenUp;

    /// <summary>Flows found by a dump, without a NEW.</summary>
    public long Found;

    /// <summary>Flows ended by a sweep, confirmed by GET.</summary>
    public long Swept;

    /// <summary>Flows a dump had left out although they were alive (GET found them): a dump is evidence, never proof.</summary>
    public long DumpOmissions;
}
