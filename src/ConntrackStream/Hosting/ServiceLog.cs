using System.Runtime.InteropServices;

namespace ConntrackStream.Service.Hosting;

/// <summary>Every message of the executable, ids 4000 to 4999.</summary>
internal static partial class ServiceLog
{
    [LoggerMessage(4000, LogLevel.Information, "ConntrackStream {Version} follows {Namespace}")]
    internal static partial void Starting(ILogger logger, string version, string @namespace);

    [LoggerMessage(4001, LogLevel.Information, "Ready: {Flows} flows in the live view after {Milliseconds:F0} ms")]
    internal static partial void Ready(ILogger logger, long flows, double milliseconds);

    [LoggerMessage(4002, LogLevel.Information, "{Signal}: draining")]
    internal static partial void Signalled(ILogger logger, PosixSignal signal);

    [LoggerMessage(4003, LogLevel.Information, "Done: {Summary}")]
    internal static partial void Summary(ILogger logger, string summary);

    [LoggerMessage(4004, LogLevel.Information, "Reloaded")]
    internal static partial void Reloaded(ILogger logger);

    [LoggerMessage(4005, LogLevel.Error, "Reload of {Part} failed; it goes on as before: {Reason}")]
    internal static partial void ReloadFailed(ILogger logger, string part, string reason);

    [LoggerMessage(4006, LogLevel.Error, "The pipeline has not answered for {Timeout}: the watchdog stays silent")]
    internal static partial void NoProgress(ILogger logger, TimeSpan timeout);

    [LoggerMessage(4007, LogLevel.Warning, "Changed in the configuration, but taken by a restart only: {Keys}")]
    internal static partial void NotReloaded(ILogger logger, string keys);

    [LoggerMessage(4010, LogLevel.Warning,
        "The connection table is {Percent} % full ({Count} of {Max}): raise net.netfilter.nf_conntrack_max in the first network "
        + "namespace, or find out who opens so many")]
    internal static partial void TableFilling(ILogger logger, int percent, long count, long max);

    [LoggerMessage(4011, LogLevel.Error,
        "The connection table is nearly full: {Percent} % ({Count} of {Max}); soon new connections will be dropped: raise "
        + "net.netfilter.nf_conntrack_max")]
    internal static partial void TableNearlyFull(ILogger logger, int percent, long count, long max);

    [LoggerMessage(4012, LogLevel.Information, "The connection table is {Percent} % full again ({Count} of {Max})")]
    internal static partial void TableFillNormal(ILogger logger, int percent, long count, long max);

    [LoggerMessage(4013, LogLevel.Error,
        "Table full: the kernel is dropping new connections ({Dropped} packets since the last report, {Count} of {Max} entries)")]
    internal static partial void TableFull(ILogger logger, long dropped, long count, long max);

    [LoggerMessage(4014, LogLevel.Warning,
        "The kernel dropped {Dropped} packets that it could not track (table {Percent} % full: out of memory, or it was full "
        + "between two looks)")]
    internal static partial void PacketsDropped(ILogger logger, long dropped, int percent);

    [LoggerMessage(4015, LogLevel.Warning,
        "Table full: the kernel evicted {Evicted} flows that had seen no reply to make room (early_drop)")]
    internal static partial void EarlyDrops(ILogger logger, long evicted);

    [LoggerMessage(4016, LogLevel.Warning,
        "{Failed} new connections could not be entered into the table, their first packet was dropped (insert_failed: two "
        + "packets raced for one tuple, or NAT found no free port)")]
    internal static partial void InsertsFailed(ILogger logger, long failed);

    [LoggerMessage(4017, LogLevel.Warning, "The connection table's health cannot be read: {Reason}")]
    internal static partial void TableUnreadable(ILogger logger, string reason);

    [LoggerMessage(4019, LogLevel.Warning,
        "{Refused} new connections were refused for a hash chain that is too long (chaintoolong): nf_conntrack_buckets is too small for "
        + "the entries, whatever nf_conntrack_max is")]
    internal static partial void ChainsTooLong(ILogger logger, long refused);

    [LoggerMessage(4020, LogLevel.Information, "Sysctl net.netfilter.{Name} was {Original}, set to {Value} while the service runs")]
    internal static partial void SysctlSet(ILogger logger, string name, string original, string value);

    [LoggerMessage(4021, LogLevel.Information, "Sysctl net.netfilter.{Name} restored to {Original}")]
    internal static partial void SysctlRestored(ILogger logger, string name, string original);

    [LoggerMessage(4022, LogLevel.Warning,
        "Sysctl net.netfilter.{Name} is {Current}, though this service had set {Value}: somebody else changed it, so it is left alone")]
    internal static partial void SysctlChangedByOthers(ILogger logger, string name, string current, string value);

    [LoggerMessage(4023, LogLevel.Warning, "Sysctl net.netfilter.{Name} cannot be set to {Value}: {Reason}")]
    internal static partial void SysctlFailed(ILogger logger, string name, string value, string reason);

    [LoggerMessage(4024, LogLevel.Information,
        "Sysctl net.netfilter.{Name} was left at {Value} by an earlier run that did not end in order; its original value {Original} is "
        + "known and will be restored")]
    internal static partial void SysctlInherited(ILogger logger, string name, string value, string original);

    [LoggerMessage(4025, LogLevel.Warning, "File {File} is not used, so original sysctl values of an earlier run are unknown: {Reason}")]
    internal static partial void SysctlRecordUnusable(ILogger logger, string file, string reason);

    [LoggerMessage(4040, LogLevel.Warning, "Flows may not be seen: {Reason}")]
    internal static partial void TrackingInactive(ILogger logger, string reason);

    [LoggerMessage(4041, LogLevel.Warning, "Flows from before this start get new ids: {Problem}")]
    internal static partial void CheckpointUnusable(ILogger logger, string problem);

    [LoggerMessage(4042, LogLevel.Warning,
        "The ids of flows cannot be saved in {File}, so flows would get new ones after a restart: {Reason}")]
    internal static partial void CheckpointFailed(ILogger logger, string file, string reason);

    [LoggerMessage(4050, LogLevel.Warning,
        "Lost {Namespace} ({Reason}): no flows are seen until its name leads to a network namespace again, which is looked "
        + "for once a second")]
    internal static partial void NamespaceAbsent(ILogger logger, string @namespace, string reason);

    [LoggerMessage(4051, LogLevel.Warning, "Another network namespace has taken the name of {Namespace}: following that one from now on")]
    internal static partial void NamespaceReplaced(ILogger logger, string @namespace);

    [LoggerMessage(4052, LogLevel.Information, "Following {Namespace} again; a gap record bounds what was not seen")]
    internal static partial void NamespaceFollowed(ILogger logger, string @namespace);

    [LoggerMessage(4053, LogLevel.Warning, "Found {Namespace}, but cannot follow it yet: {Reason}")]
    internal static partial void NamespaceNotFollowed(ILogger logger, string @namespace, string reason);

    [LoggerMessage(4054, LogLevel.Warning,
        "Another program set net.netfilter.{Name} to {Found}: {Effect}. Set to {Wanted} again, {Times} times since the last such "
        + "warning; a gap record bounds what is missing")]
    internal static partial void SettingPutBack(ILogger logger, string name, string found, string effect, string wanted, long times);

    [LoggerMessage(4055, LogLevel.Warning, "Sysctl net.netfilter.{Name} is {Found}: {Effect}. It is not set again: {Reason}")]
    internal static partial void SettingStaysOff(ILogger logger, string name, string found, string effect, string reason);

    [LoggerMessage(4056, LogLevel.Information, "Sysctl net.netfilter.{Name} is {Value} again; a gap record bounds what is missing")]
    internal static partial void SettingRight(ILogger logger, string name, string value);

    [LoggerMessage(4057, LogLevel.Warning, "Nothing can be kept in {Directory}, so flows get new ids after a restart: {Reason}")]
    internal static partial void StateNotKept(ILogger logger, string directory, string reason);

    [LoggerMessage(4058, LogLevel.Warning,
        "The original sysctl values cannot be saved in {File}, so they are not restored if this process is killed: {Reason}")]
    internal static partial void SysctlsUnsaved(ILogger logger, string file, string reason);

    [LoggerMessage(4059, LogLevel.Warning,
        "The name that keeps a second instance out of this network namespace belongs to {Holder}: going on without it")]
    internal static partial void LockTaken(ILogger logger, string holder);

    [LoggerMessage(4060, LogLevel.Warning, "Metrics cannot be written to {File} (Api:Metrics:TextFile): {Reason}")]
    internal static partial void MetricsNotWritten(ILogger logger, string file, string reason);

    [LoggerMessage(4061, LogLevel.Warning,
        "The clock was set by {Seconds:+0.0;-0.0} s (or the machine slept): a gap record clock_set has the times that passed twice, or not "
        + "at all")]
    internal static partial void ClockSet(ILogger logger, double seconds);
}
