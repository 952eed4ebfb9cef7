using System.Diagnostics.Metrics;
using ConntrackStream.Pipeline.Modules;
using static ConntrackStream.Pipeline.Modules.Instruments;

namespace ConntrackStream.Sinks.MapCleaning.Module;

/// <summary>Metrics of map cleaning.</summary>
internal static class MapInstruments
{
    /// <param name="status">Null: no measurements.</param>
    internal static void Add(Instruments instruments, Func<MapStatus?> status)
    {
        StatusInstruments<MapStatus> all = new(instruments, status);
        AddAudits(all);
        AddKeys(all);
    }

    private static void AddAudits(StatusInstruments<MapStatus> all)
    {
        all.Gauge(
            "map_capacity_entries", "Entries that the eBPF map can hold.", static map => map.Map is { } info ? [new(info.Capacity)] : []);
        all.Gauge(
            "map_entries",
            "Entries in the last audit of the eBPF map, by what they are.",
            static map => map.LastAudit is { Problem: null } last
                ? [
                    new(last.Matched, Label("state", "with_flow")), new(last.Missed, Label("state", "without_flow")),
                    new(last.Young, Label("state", "young")), new(last.Junk, Label("state", "junk")),
                ]
                : []);
        all.Gauge(
            "map_usable", "1 when the eBPF map could be opened.", static map => [new(map.Map is not null && map.Problem is null ? 1 : 0)]);
        all.Gauge(
            "map_starving", "1 when nothing has been cleaned for three audit intervals.", static map => [new(map.IsStarving ? 1 : 0)]);
        all.Gauge(
            "map_refused",
            "1 when nothing is deleted, since no key has matched a flow of this namespace.",
            static map => [new(map.IsRefused ? 1 : 0)]);
        all.Gauge(
            "map_last_audit_age_seconds",
            "Since the last audit of the eBPF map that counted.",
            static map => [new(map.SinceCounted.TotalSeconds)]);
        all.Gauge("map_exempt_groups", "Groups of keys that never matched a flow (NOTRACK).", static map => [new(map.ExemptGroups.Count)]);
        all.Counter("map_audits_total", "Audits of the eBPF map, by result.", static map =>
            [new(map.Counters.Audits, Label("result", "counted")), new(map.Counters.AuditsDiscarded, Label("result", "discarded"))]);
        all.Counter("map_voided_total", "Times all misses were given up.", static map => [new(map.Counters.Voided)]);
        all.Counter("map_recreated_total", "Times the eBPF map was recreated.", static map => [new(map.Counters.Recreated)]);
        all.Counter("map_failed_calls_total", "Calls to the eBPF map that failed.", static map => [new(map.Counters.Failures)]);
    }

    private static void AddKeys(StatusInstruments<MapStatus> all)
    {
        all.Gauge("map_tombstones", "Nominated keys, by state.", static map =>
        [
            new(map.Tombstones - map.Armed - map.Observed, Label("state", "waiting")), new(map.Armed, Label("state", "armed")),
            new(map.Observed, Label("state", "observed")),
        ]);
        all.Counter("map_nominated_total", "Keys nominated, by reason.", static map =>
        [
            new(map.Counters.NominatedByEnd, Label("reason", "ended")),
            new(map.Counters.NominatedByMisses, Label("reason", "missed_twice")),
        ]);
        all.Counter(
            "map_held_ends_total",
            "Ends that did not nominate at once, since the connection may be alive.",
            static map => [new(map.Counters.EndsHeld)]);
        all.Gauge(
            "map_held_entries",
            "Entries without a flow that the last audit kept, since their connection may be alive.",
            static map => [new(map.Held)]);
        all.Counter(
            "map_deferred_total",
            "Nominations put off, since there are as many tombstones as a cycle may delete.",
            static map => [new(map.Counters.Deferred)]);
        all.Counter("map_kept_total", "Nominated keys that were not deleted, by reason.", static map =>
        [
            new(map.Counters.CancelledByNew, Label("reason", "new_flow")), new(map.Counters.KeptAlive, Label("reason", "alive")),
            new(map.Counters.KeptInUse, Label("reason", "in_use")), new(map.Counters.KeptUntracked, Label("reason", "untracked")),
            new(map.Counters.KeptHeld, Label("reason", "held")),
            new(map.Counters.AlreadyGone, Label("reason", "already_gone")),
        ]);
        all.Counter("map_deleted_total", "Entries deleted, those put back included.", static map => [new(map.Counters.Deleted)]);
        all.Counter(
            "map_would_delete_total",
            "Entries that would have been deleted (observe mode).",
            static map => [new(map.Counters.WouldDelete)]);
        all.Counter("map_restored_total", "Deleted entries that had to be put back, by how.", static map =>
        [
            new(map.Counters.Restored, Label("result", "restored")), new(map.Counters.Healed, Label("result", "healed_by_datapath")),
            new(map.Counters.RestoreFailed, Label("result", "failed")),
        ]);
        all.Gauge(
            "map_longest_absence_seconds",
            "Longest time a restored entry had been absent.",
            static map => [new(map.Counters.LongestAbsence / 1e9)]);
        all.Counter("map_live_entries_lost_total", "Entries of live flows that vanished without this service, by cause.", static map =>
        [
            new(map.Counters.DeletedByOthers, Label("cause", "deleted_by_others")), new(map.Counters.Evicted, Label("cause", "evicted")),
            new(map.Counters.LostUnknown, Label("cause", "unknown")),
        ]);
    }
}
