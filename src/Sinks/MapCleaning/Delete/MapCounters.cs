using System.Text.Json.Serialization;

namespace ConntrackStream.Sinks.MapCleaning.Delete;

/// <summary>
/// Plain counters since start, written by the loop and read by polling. <c>/v1/status</c> has them by these names, in this order.
/// </summary>
public sealed class MapCounters
{
    /// <summary>Audits of the map that counted.</summary>
    public long Audits;

    /// <summary>Audits of the map that did not count, because events were lost meanwhile or the scan failed.</summary>
    public long AuditsDiscarded;

    /// <summary>Times all that was known of the map was given up: a failed or implausible dump, a recreated map.</summary>
    public long Voided;

    /// <summary>Times the map was found recreated.</summary>
    public long Recreated;

    public long NominatedByEnd;

    public long NominatedByMisses;

    /// <summary>Keys that should have been nominated while the table of tombstones was full.</summary>
    public long Deferred;

    /// <summary>Tombstones cancelled by a NEW.</summary>
    public long CancelledByNew;

    /// <summary>Tombstones dropped because the check before the deletion found a flow, or could not tell.</summary>
    public long KeptAlive;

    /// <summary>Tombstones dropped because a packet had used the entry since (last_seen).</summary>
    public long KeptInUse;

    /// <summary>Tombstones dropped as their group is exempt (NOTRACK).</summary>
    public long KeptUntracked;

    /// <summary>Tombstones dropped because the connection may still be alive.</summary>
    public long KeptHeld;

    /// <summary>
    /// Ends that did not nominate at once, since the connection may still be alive: deleted by somebody, or silent for a while.
    /// </summary>
    public long EndsHeld;

    /// <summary>Tombstones whose entry somebody else had removed.</summary>
    public long AlreadyGone;

    /// <summary>Entries taken out of the map; those put back included.</summary>
    public long Deleted;

    /// <summary>Entries that would have been deleted (observe mode).</summary>
    public long WouldDelete;

    /// <summary>Deleted entries put back.</summary>
    public long Restored;

    /// <summary>Deleted entries that should have been put back, but the datapath had made them anew already.</summary>
    public long Healed;

    /// <summary>Deleted entries that should have been put back and could not.</summary>
    public long RestoreFailed;

    /// <summary>Entries of live flows that vanished although this service did not touch them, and the map cannot have been full.</summary>
    public long DeletedByOthers;

    /// <summary>The same while the map was full: evicted by the kernel (LRU).</summary>
    public long Evicted;

    /// <summary>The same where the map may have been full between two audits: either.</summary>
    public long LostUnknown;

    /// <summary>Calls to the map that failed.</summary>
    public long Failures;

    /// <summary>ns for which the entry of a live flow was absent at most.</summary>
    [JsonIgnore]
    public long LongestAbsence;

    /// <summary>The same in µs, for <c>/v1/status</c>.</summary>
    [JsonPropertyOrder(1)] // after the others
    public double LongestAbsenceUs => LongestAbsence / 1000.0;

    /// <summary>Nominated entries that were left alone, for whatever reason.</summary>
    [JsonIgnore]
    public long Kept => CancelledByNew + KeptAlive + KeptInUse + KeptUntracked + KeptHeld;

    internal void AddAbsence(long ns) => LongestAbsence = Math.Max(LongestAbsence, ns);
}
