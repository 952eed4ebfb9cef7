using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Delete;

namespace ConntrackStream.Pipeline.Audit;

// Each key of the map is looked up in the view, in three passes a few keys at a time, so that their cache misses overlap.
internal sealed partial class MapAudit
{
    private void Join(ReadOnlySpan<MapEntry> entries)
    {
        Span<ulong> hashes = stackalloc ulong[EntriesAtOnce];
        Span<int> heads = stackalloc int[EntriesAtOnce];
        int warmth = 0;
        for (int i = 0; i < entries.Length; i++)
        {
            FlowTuple tuple = entries[i].Key.Tuple;
            hashes[i] = context.View.PrepareEitherWay(tuple, MapKeys.Inverse(tuple), out heads[i], ref warmth);
        }

        for (int i = 0; i < entries.Length; i++)
            warmth += context.View.Warm(entries[i].Key.Tuple.IsIPv6, heads[i]);
        context.View.KeepWarm(warmth);
        long now = context.Now, youngest = context.Monotonic - Nanoseconds(context.Options.Grace);
        for (int i = 0; i < entries.Length; i++)
            Judge(entries[i], hashes[i], now, youngest);
    }

    private void Judge(in MapEntry entry, ulong hash, long now, long youngest)
    {
        context.Owners.Learn(entry.Key);
        if (HasFlow(entry.Key.Tuple, hash))
        {
            _matched++;
            context.Match(entry.Key);
        }
        else if (context.Map!.Info.HasLastSeen && (long)entry.Value.LastSeen > youngest)
        {
            _young++;
        }
        else
        {
            _missed++;
            context.Misses.Mark(entry.Key, context.Scan, now);
            if (!context.Interfaces.IsGone(entry.Key.InterfaceIndex))
                context.Groups.Miss(MapGroup.Of(entry.Key), IsOld(entry));
        }
    }

    /// <summary>Not used for longer than the kernel keeps any flow of the protocol.</summary>
    private bool IsOld(in MapEntry entry) => entry.Value.LastSeen != 0
        && (long)entry.Value.LastSeen < context.Monotonic - Nanoseconds(_timeouts.Of(entry.Key.Tuple.Protocol));

    private static long Nanoseconds(TimeSpan span) => span.Ticks * 100;

    private bool HasFlow(in FlowTuple tuple, ulong hash)
    {
        if (MapKeys.IsShared(tuple.Protocol))
            return context.Live.Holds(tuple);
        int slot = context.Live.Find(tuple, MapKeys.Inverse(tuple), hash);
        if (slot < 0)
            return false;
        context.View.TallyMapKey(tuple.IsIPv6, slot);
        return true;
    }
}
