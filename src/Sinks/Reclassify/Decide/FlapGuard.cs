using System.Runtime.InteropServices;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Reclassify.Decide;

/// <summary>What is moved too often: one client's flows to one port of one destination, for one path.</summary>
internal readonly record struct FlapKey(IpAddress Client, IpAddress Destination, ushort DestinationPort, IpProtocol Protocol, FlowFamily Family, string Path)
{
    internal static FlapKey Of(in FlowTuple original, string path) =>
        new(original.Source, original.Destination, original.IsIcmp ? (ushort)0 : original.DestinationPort, original.Protocol, original.Family, path);
}

/// <summary>
/// A budget of actions for each key; when it is spent, or an action was in vain, the key is left alone for a time that doubles each time. Not
/// thread-safe; times in ms, monotonic.
/// </summary>
/// <param name="budget">Actions within one window.</param>
/// <param name="capacity">Keys remembered; when so many are in use, new ones are refused.</param>
internal sealed class FlapGuard(int budget, TimeSpan window, TimeSpan firstPause, TimeSpan longestPause, int capacity)
{
    private const long RoomInterval = 1000; // ms: all records are looked at no more often

    private readonly Dictionary<FlapKey, Record> _records = [];
    private long _fullUntil;
    private readonly long _window = (long)window.TotalMilliseconds;
    private readonly long _firstPause = (long)firstPause.TotalMilliseconds;
    private readonly long _longestPause = (long)longestPause.TotalMilliseconds;

    internal int Count => _records.Count;

    /// <summary>Whether an action is allowed now, and if not, for how long.</summary>
    internal bool MayAct(in FlapKey key, long now, out long pause)
    {
        pause = 0;
        if (!_records.TryGetValue(key, out Record record))
        {
            bool hasRoom = _records.Count < capacity || MakeRoom(now);
            pause = hasRoom ? 0 : _fullUntil - now;
            return hasRoom;
        }

        pause = Math.Max(0, record.PausedUntil - now);
        return pause == 0;
    }

    /// <summary>Notes an action; the one that spends the budget begins a pause.</summary>
    internal void OnAction(in FlapKey key, long now)
    {
        ref Record record = ref CollectionsMarshal.GetValueRefOrAddDefault(_records, key, out bool known)!;
        if (!known || now - record.WindowBegan >= _window)
        {
            record.WindowBegan = now;
            record.Actions = 0;
            record.Pause = now - record.PausedUntil >= _longestPause ? 0 : record.Pause;
        }

        record.LastUsed = now;
        if (++record.Actions >= budget)
            BeginPause(ref record, now);
    }

    /// <summary>An action that was noted has not been taken after all.</summary>
    internal void Withdraw(in FlapKey key)
    {
        ref Record record = ref CollectionsMarshal.GetValueRefOrNullRef(_records, key);
        if (!System.Runtime.CompilerServices.Unsafe.IsNullRef(ref record) && record.Actions > 0)
            record.Actions--;
    }

    /// <summary>An action was in vain.</summary>
    /// <returns>How long the key is left alone.</returns>
    internal TimeSpan OnFailure(in FlapKey key, long now)
    {
        ref Record record = ref CollectionsMarshal.GetValueRefOrNullRef(_records, key);
        if (System.Runtime.CompilerServices.Unsafe.IsNullRef(ref record))
            return TimeSpan.Zero;
        BeginPause(ref record, now);
        return TimeSpan.FromMilliseconds(record.Pause);
    }

    private void BeginPause(ref Record record, long now)
    {
        if (record.PausedUntil > now)
            return; // several flows of one key end alike at once
        record.Pause = record.Pause == 0 ? _firstPause : Math.Min(_longestPause, record.Pause * 2);
        record.PausedUntil = now + record.Pause;
        record.WindowBegan = record.PausedUntil;
        record.Actions = 0;
    }

    private bool MakeRoom(long now)
    {
        if (now < _fullUntil)
            return false;
        _fullUntil = now + RoomInterval;
        foreach ((FlapKey key, Record record) in _records)
        {
            if (record.PausedUntil <= now && now - record.LastUsed >= _window)
                _records.Remove(key); // allowed while enumerating
        }

        return _records.Count < capacity;
    }

    private record struct Record(long WindowBegan, long LastUsed, long PausedUntil, long Pause, int Actions);
}
