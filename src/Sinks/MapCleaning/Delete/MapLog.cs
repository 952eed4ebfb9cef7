using ConntrackStream.Sinks.MapCleaning.Absence;

namespace ConntrackStream.Sinks.MapCleaning.Delete;

/// <summary>Messages of the map's cleaning. Ids 2100 to 2199.</summary>
internal static partial class MapLog
{
    [LoggerMessage(2101, LogLevel.Information,
        "The eBPF map {Source} is opened: layout {Layout}, id {Id}, {Capacity} entries at most; mode {Mode}")]
    public static partial void MapOpened(this ILogger logger, string source, string layout, uint id, uint capacity, MapMode mode);

    [LoggerMessage(2102, LogLevel.Warning, "The eBPF map cannot be used, nothing is cleaned until it can: {Reason}")]
    public static partial void MapUnusable(this ILogger logger, string reason);

    [LoggerMessage(2103, LogLevel.Warning,
        "The eBPF map {Source} was recreated (layout {Layout}, now id {Id}): all that was known of its entries is void")]
    public static partial void MapRecreated(this ILogger logger, string source, string layout, uint id);

    [LoggerMessage(2104, LogLevel.Warning, "All misses are void: {Reason}")]
    public static partial void MissesVoided(this ILogger logger, string reason);

    [LoggerMessage(2105, LogLevel.Information, "This audit of the map does not count: {Reason}; earlier misses stay as they are")]
    public static partial void MapAuditDiscarded(this ILogger logger, string reason);

    [LoggerMessage(2106, LogLevel.Debug,
        "Map audit: {Entries} entries, {Matched} with a flow, {Missed} without, "
        + "{Young} young, {Junk} junk; {Tombstones} tombstones; {Milliseconds:F1} ms")]
    public static partial void MapAuditDone(
        this ILogger logger, long entries, long matched, long missed, long young, long junk, int tombstones, double milliseconds);

    [LoggerMessage(2107, LogLevel.Warning,
        "{Count} groups of keys are exempt from deleting "
        + "since none of their keys has ever matched a flow (traffic under NOTRACK?): {Groups}")]
    public static partial void UntrackedGroups(this ILogger logger, int count, string groups);

    [LoggerMessage(2108, LogLevel.Warning,
        "Nothing is deleted: no key of the map whose interface is in this network namespace has matched a flow of it yet. "
        + "If flows do run, this is the wrong namespace (Tap:NetworkNamespace): "
        + "it must be the one in which the agent's traffic is tracked, as a rule the host's")]
    public static partial void DeletingRefused(this ILogger logger);

    [LoggerMessage(2109, LogLevel.Warning,
        "{Missed} of {Entries} entries of the map have no flow in this network namespace: "
        + "the wrong namespace, traffic under NOTRACK, or a map nobody has cleaned")]
    public static partial void MostlyUnmatched(this ILogger logger, long missed, long entries);

    [LoggerMessage(2110, LogLevel.Warning,
        "{Limit} deletions since the last audit: "
        + "the limit of a cycle (Map:MaxDeletesPerCycle) is reached, {Waiting} keys wait for the next one")]
    public static partial void CapReached(this ILogger logger, int limit, int waiting);

    [LoggerMessage(2111, LogLevel.Warning,
        "The map has not been cleaned for {Seconds:F0} s ({Tombstones} tombstones): "
        + "events are being lost again and again, dumps fail, or the map cannot be read")]
    public static partial void CleaningStarves(this ILogger logger, double seconds, int tombstones);

    [LoggerMessage(2112, LogLevel.Warning,
        "{Count} entries of live flows were deleted by somebody else since the last audit (the map was not full), "
        + "as a rule by the agent's own cleaner, which cuts live connections so. "
        + "Raise its --conntrack-cache-cleanup-period and leave the cleaning to this service")]
    public static partial void LiveEntriesDeleted(this ILogger logger, long count);

    [LoggerMessage(2113, LogLevel.Warning,
        "{Count} entries of live flows are gone since the last audit, from a map that is full ({Entries} of {Capacity}; "
        + "from {Full} on the kernel evicts the least recently used). The map is too small")]
    public static partial void LiveEntriesEvicted(this ILogger logger, long count, long entries, uint capacity, uint full);

    [LoggerMessage(2114, LogLevel.Information, "The entry of a live flow is gone: {Flow}")]
    public static partial void LiveEntryLost(this ILogger logger, string flow);

    [LoggerMessage(2115, LogLevel.Warning, "A call to the eBPF map failed: {Reason}")]
    public static partial void MapCallFailed(this ILogger logger, string reason);

    [LoggerMessage(2116, LogLevel.Warning, "{Count} deleted entries can no longer be put back, since the map they were in is gone")]
    public static partial void ArmedLost(this ILogger logger, int count);

    [LoggerMessage(2117, LogLevel.Warning,
        "{Count} entries of live flows are gone since the last audit: evicted by the kernel, or deleted by somebody else. "
        + "The map has {Entries} entries now, but {Begun} flows began since, "
        + "so it may have been full meanwhile (from {Full} entries on the kernel evicts)")]
    public static partial void LiveEntriesLost(this ILogger logger, long count, long entries, uint full, long begun);

    [LoggerMessage(2120, LogLevel.Debug, "Deleted {Key}: {Evidence}")]
    public static partial void EntryDeleted(this ILogger logger, string key, string evidence);

    [LoggerMessage(2121, LogLevel.Debug, "Would delete {Key}: {Evidence}")]
    public static partial void EntryWouldBeDeleted(this ILogger logger, string key, string evidence);

    [LoggerMessage(2122, LogLevel.Warning,
        "Restored {Key} after {Microseconds:F0} µs, because {Reason}; it had been deleted as {Evidence}")]
    public static partial void EntryRestored(this ILogger logger, string key, string reason, double microseconds, string evidence);

    [LoggerMessage(2123, LogLevel.Information,
        "No need to restore {Key} although {Reason}: a packet has made the entry anew; it had been deleted as {Evidence}")]
    public static partial void EntryHealed(this ILogger logger, string key, string reason, string evidence);

    [LoggerMessage(2124, LogLevel.Error, "Could not restore {Key}, because {Reason}; it had been deleted as {Evidence}")]
    public static partial void RestoreFailed(this ILogger logger, string key, string reason, string evidence);

    [LoggerMessage(2125, LogLevel.Warning, "{Count} lines about deleted entries were left out: the log's reader is too slow")]
    public static partial void JournalDropped(this ILogger logger, long count);

    [LoggerMessage(2126, LogLevel.Debug, "Kept {Key}: {Reason}; it had been nominated as {Evidence}")]
    public static partial void EntryKept(this ILogger logger, string key, string reason, string evidence);

    [LoggerMessage(2127, LogLevel.Information, "The map since the last summary: {Summary}")]
    public static partial void CleaningSummary(this ILogger logger, string summary);

    [LoggerMessage(2128, LogLevel.Debug, "Kept {Key} for now: {Reason}; {Evidence}")]
    public static partial void EntryHeld(this ILogger logger, string key, string reason, string evidence);

    [LoggerMessage(2129, LogLevel.Warning, "A question to the kernel about the map's keys failed ({Reason}): nothing is deleted by it")]
    public static partial void MapQuestionFailed(this ILogger logger, string reason);
}
