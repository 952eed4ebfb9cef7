using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.MapCleaning.Audit;

// Each key of the map is looked up in the view, in three passes a few keys at a time, so that their cache misses overlap.
internal sealed partial class MapAudit
{
    private void Join(ReadOnlySpan<MapEntry> entries)
    {
        Span<ulong> hashes = stackalloc ulong[EntriesAtOnce];
        for (int i = 0; i < entries.Length; i++)
        {
            FlowTuple tuple = entries[i].Key.Tuple;
            hashes[i] = context.View.Prefetch(tuple, MapKeys.Inverse(tuple));
        }

        for (int i = 0; i < entries.Length; i++)
            context.View.PrefetchRow(entries[i].Key.Tuple.IsIPv6, hashes[i]);
        long now = context.Now, monotonic = context.Monotonic;
        for (int i = 0; i < entries.Length; i++)
            Judge(entries[i], hashes[i], now, monotonic);
    }

    private void Judge(in MapEntry entry, ulong hash, long now, long monotonic)
    {
        context.Owners.Learn(entry.Key);
        if (HasFlow(entry.Key.Tuple, hash))
        {
            _matched++;
            context.Match(entry.Key);
            if (MapKeys.IsShared(entry.Key.Tuple.Protocol))
                context.Holds.Keep(entry.Key.Tuple); // of another flow with the same key
        }
        else if (IsYoung(entry.Value, monotonic))
        {
            _young++;
            context.Holds.Keep(entry.Key.Tuple);
            if (_isUnknown || context.Misses.Contains(entry.Key))
                Miss(entry, now, monotonic); // counts from its next use on, and is remembered as used without a flow
        }
        else
        {
            _missed++;
            context.Holds.Keep(entry.Key.Tuple);
            Miss(entry, now, monotonic);
            if (!context.Interfaces.IsGone(entry.Key.InterfaceIndex))
                context.Groups.Miss(MapGroup.Of(entry.Key), IsOld(entry));
        }
    }

    private bool IsYoung(in MapValue value, long monotonic) =>
        context.Map!.Info.HasLastSeen && (long)value.LastSeen > monotonic - (long)context.Options.Grace.TotalNanoseconds;

    private void Miss(in MapEntry entry, long now, long monotonic) => context.Misses.Mark(
        entry.Key, context.Scan, now, monotonic, (long)entry.Value.LastSeen, _isUnknown || context.Holds.HasOverflowed);

    /// <summary>Not used for longer than the kernel keeps any flow of the protocol.</summary>
    private bool IsOld(in MapEntry entry) => entry.Value.LastSeen != 0
        && (long)entry.Value.LastSeen < context.Monotonic - (long)_timeouts.Longest.Of(entry.Key.Tuple.Protocol).TotalNanoseconds;

    private bool HasFlow(in FlowTuple tuple, ulong hash)
    {
        if (MapKeys.IsShared(tuple.Protocol))
            return context.Live.Holds(tuple);
        int slot = context.Live.Find(tuple, MapKeys.Inverse(tuple), hash);
        if (slot < 0)
            return false;
        context.Tally.Count(tuple.IsIPv6, slot);
        return true;
    }
}
