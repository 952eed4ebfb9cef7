using ConntrackStream.Pipeline.Audit;

namespace ConntrackStream.Pipeline;

internal static partial class PipelineLog
{
    [LoggerMessage(2001, LogLevel.Warning, "the kernel refused {Lost} deliveries within {Milliseconds:F1} ms (event socket full); resynchronising. A larger Tap:ReceiveBufferBytes rides out longer bursts")]
    public static partial void Overrun(this ILogger logger, long lost, double milliseconds);

    [LoggerMessage(2012, LogLevel.Warning, "gap closed ({Reason}): {Lost} within {Milliseconds:F1} ms, {Recovered} changes recovered by the resync; {Gaps} gaps since the last such warning")]
    public static partial void GapClosed(this ILogger logger, FlowGapReason reason, string lost, double milliseconds, long recovered, long gaps);

    [LoggerMessage(2002, LogLevel.Warning, "no barrier came back within {Seconds} s; asking again (a long backlog of events delays it)")]
    public static partial void BarrierOverdue(this ILogger logger, double seconds);

    [LoggerMessage(2003, LogLevel.Warning, "dumping the conntrack table failed: {Reason}; the view is not proven, trying again in {Seconds} s")]
    public static partial void DumpFailed(this ILogger logger, string reason, double seconds);

    [LoggerMessage(2004, LogLevel.Debug, "{Reason}: {Rows} rows, {Missing} missing, {Ghosts} ghosts, {Wrong} wrong incarnations, {UntappedEnded} untapped ended, {Milliseconds:F1} ms")]
    public static partial void RoundDone(
        this ILogger logger, RoundReason reason, long rows, long missing, long ghosts, long wrong, long untappedEnded, double milliseconds);

    [LoggerMessage(2005, LogLevel.Information, "view synchronised with the kernel: {Flows} flows ({Reason}, {Milliseconds:F0} ms)")]
    public static partial void Synced(this ILogger logger, int flows, RoundReason reason, double milliseconds);

    [LoggerMessage(2006, LogLevel.Warning, "audit found drift: {Missing} missing, {Ghosts} ghosts, {Wrong} wrong incarnations of {Rows} flows; repaired")]
    public static partial void Drift(this ILogger logger, long missing, long ghosts, long wrong, long rows);

    [LoggerMessage(2007, LogLevel.Warning, "sink {Sink} fell behind: its queue is full and changes are dropped ({Dropped} so far, {Gaps} new gaps since the last such warning); a gap record bounds each loss")]
    public static partial void SinkBehind(this ILogger logger, string sink, long gaps, long dropped);

    [LoggerMessage(2008, LogLevel.Error, "sink {Sink} failed ({Dropped} changes dropped so far, {Failures} new failures since the last such message), trying again in {Seconds} s")]
    public static partial void SinkFailed(this ILogger logger, Exception error, string sink, long failures, long dropped, double seconds);

    [LoggerMessage(2013, LogLevel.Warning, "sink {Sink} has taken nothing for {Seconds} s: the comparison with the kernel goes on without it, what does not fit becomes a gap")]
    public static partial void SinkStalled(this ILogger logger, string sink, double seconds);

    [LoggerMessage(2009, LogLevel.Warning, "sink {Sink} did not drain within {Seconds} s; {Dropped} changes left unwritten")]
    public static partial void SinkNotDrained(this ILogger logger, string sink, double seconds, long dropped);

    [LoggerMessage(2010, LogLevel.Critical, "the pipeline's loop failed; the service stops")]
    public static partial void LoopFailed(this ILogger logger, Exception error);

    [LoggerMessage(2011, LogLevel.Warning, "a question to the kernel failed ({Reason}); nothing is ended by it, the next audit settles it")]
    public static partial void QuestionFailed(this ILogger logger, string reason);

    [LoggerMessage(2017, LogLevel.Warning, "the number of entries in the conntrack table cannot be read ({Reason}); only audits compare the view with the kernel")]
    public static partial void CountUnreadable(this ILogger logger, string reason);

    [LoggerMessage(2101, LogLevel.Information, "eBPF map {Source} opened: layout {Layout}, id {Id}, {Capacity} entries at most; mode {Mode}")]
    public static partial void MapOpened(this ILogger logger, string source, string layout, uint id, uint capacity, Delete.MapMode mode);

    [LoggerMessage(2102, LogLevel.Warning, "the eBPF map cannot be used, nothing is cleaned until it can: {Reason}")]
    public static partial void MapUnusable(this ILogger logger, string reason);

    [LoggerMessage(2103, LogLevel.Warning, "the eBPF map {Source} was recreated (layout {Layout}, now id {Id}): all that was known of its entries is void")]
    public static partial void MapRecreated(this ILogger logger, string source, string layout, uint id);

    [LoggerMessage(2104, LogLevel.Warning, "all misses are void: {Reason}")]
    public static partial void MissesVoided(this ILogger logger, string reason);

    [LoggerMessage(2105, LogLevel.Information, "this audit of the map does not count: {Reason}; earlier misses stay as they are")]
    public static partial void MapAuditDiscarded(this ILogger logger, string reason);

    [LoggerMessage(2106, LogLevel.Debug, "map audit: {Entries} entries, {Matched} with a flow, {Missed} without, {Young} young, {Junk} junk; {Tombstones} tombstones; {Milliseconds:F1} ms")]
    public static partial void MapAuditDone(
        this ILogger logger, long entries, long matched, long missed, long young, long junk, int tombstones, double milliseconds);

    [LoggerMessage(2107, LogLevel.Warning, "{Count} groups of keys are exempt from deleting since none of their keys has ever matched a flow (traffic under NOTRACK?): {Groups}")]
    public static partial void UntrackedGroups(this ILogger logger, int count, string groups);

    [LoggerMessage(2108, LogLevel.Warning, "nothing is deleted: no key of the map whose interface is in this network namespace has matched a flow of it yet. If flows do run, this is the wrong namespace (Tap:NetworkNamespace): it must be the one in which the agent's traffic is tracked, as a rule the host's")]
    public static partial void DeletingRefused(this ILogger logger);

    [LoggerMessage(2109, LogLevel.Warning, "{Missed} of {Entries} entries of the map have no flow in this network namespace: the wrong namespace, traffic under NOTRACK, or a map nobody has cleaned")]
    public static partial void MostlyUnmatched(this ILogger logger, long missed, long entries);

    [LoggerMessage(2110, LogLevel.Warning, "{Limit} deletions since the last audit: the limit of a cycle (Map:MaxDeletesPerCycle) is reached, {Waiting} keys wait for the next one")]
    public static partial void CapReached(this ILogger logger, int limit, int waiting);

    [LoggerMessage(2111, LogLevel.Warning, "the map has not been cleaned for {Seconds:F0} s ({Tombstones} tombstones): events are being lost again and again, dumps fail, or the map cannot be read")]
    public static partial void CleaningStarves(this ILogger logger, double seconds, int tombstones);

    [LoggerMessage(2112, LogLevel.Warning, "{Count} entries of live flows were deleted by somebody else since the last audit (the map was not full), as a rule by the agent's own cleaner, which cuts live connections so. Raise its --conntrack-cache-cleanup-period and leave the cleaning to this service")]
    public static partial void LiveEntriesDeleted(this ILogger logger, long count);

    [LoggerMessage(2113, LogLevel.Warning, "{Count} entries of live flows are gone since the last audit, from a map that is full ({Entries} of {Capacity}; from {Full} on the kernel evicts the least recently used). The map is too small")]
    public static partial void LiveEntriesEvicted(this ILogger logger, long count, long entries, uint capacity, uint full);

    [LoggerMessage(2114, LogLevel.Information, "the entry of a live flow is gone: {Flow}")]
    public static partial void LiveEntryLost(this ILogger logger, string flow);

    [LoggerMessage(2115, LogLevel.Warning, "a call to the eBPF map failed: {Reason}")]
    public static partial void MapCallFailed(this ILogger logger, string reason);

    [LoggerMessage(2116, LogLevel.Warning, "{Count} deleted entries can no longer be put back, since the map they were in is gone")]
    public static partial void ArmedLost(this ILogger logger, int count);

    [LoggerMessage(2117, LogLevel.Warning, "{Count} entries of live flows are gone since the last audit: evicted by the kernel, or deleted by somebody else. The map has {Entries} entries now, but {Begun} flows began since, so it may have been full meanwhile (from {Full} entries on the kernel evicts)")]
    public static partial void LiveEntriesLost(this ILogger logger, long count, long entries, uint full, long begun);

    [LoggerMessage(2120, LogLevel.Debug, "deleted {Key}: {Evidence}")]
    public static partial void EntryDeleted(this ILogger logger, string key, string evidence);

    [LoggerMessage(2121, LogLevel.Debug, "would delete {Key}: {Evidence}")]
    public static partial void EntryWouldBeDeleted(this ILogger logger, string key, string evidence);

    [LoggerMessage(2122, LogLevel.Warning, "restored {Key} after {Microseconds:F0} µs, because {Reason}; it had been deleted as {Evidence}")]
    public static partial void EntryRestored(this ILogger logger, string key, string reason, double microseconds, string evidence);

    [LoggerMessage(2123, LogLevel.Information, "no need to restore {Key} although {Reason}: a packet has made the entry anew; it had been deleted as {Evidence}")]
    public static partial void EntryHealed(this ILogger logger, string key, string reason, string evidence);

    [LoggerMessage(2124, LogLevel.Error, "could not restore {Key}, because {Reason}; it had been deleted as {Evidence}")]
    public static partial void RestoreFailed(this ILogger logger, string key, string reason, string evidence);

    [LoggerMessage(2125, LogLevel.Warning, "{Count} lines about deleted entries were left out: the log's reader is too slow")]
    public static partial void JournalDropped(this ILogger logger, long count);

    [LoggerMessage(2126, LogLevel.Debug, "kept {Key}: {Reason}; it had been nominated as {Evidence}")]
    public static partial void EntryKept(this ILogger logger, string key, string reason, string evidence);

    [LoggerMessage(2127, LogLevel.Information, "the map since the last summary: {Summary}")]
    public static partial void CleaningSummary(this ILogger logger, string summary);

    [LoggerMessage(2128, LogLevel.Debug, "kept {Key} for now: {Reason}; {Evidence}")]
    public static partial void EntryHeld(this ILogger logger, string key, string reason, string evidence);
}
