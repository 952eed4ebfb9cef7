using System.Collections.Concurrent;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.MapCleaning.Absence;

/// <summary>
/// Owners of keys whose interface is gone: their traffic, tracked or not, is over. Each scan of the map asks the kernel about the
/// interfaces of its keys, on the scan's thread and before the loop sees the keys. What it said counts until the next scan, since an index
/// may be given to another interface.
/// </summary>
/// <param name="hasInterface">Whether the namespace has an interface of this index; null: the kernel did not answer.</param>
internal sealed class GoneInterfaces(Func<uint, bool?> hasInterface)
{
    /// <summary>A node has some hundred pods; of more, none is taken for gone.</summary>
    private const int MostInterfaces = 1 << 16;

    private readonly ConcurrentDictionary<uint, bool> _isGone = new();
    private readonly HashSet<uint> _asked = []; // by the scan under way

    /// <summary>A scan begins. On its thread.</summary>
    public void Open() => _asked.Clear();

    /// <summary>Keys that the loop will see next. On the scan's thread.</summary>
    public void Learn(ReadOnlySpan<MapEntry> entries)
    {
        foreach (ref readonly MapEntry entry in entries)
        {
            uint index = entry.Key.InterfaceIndex;
            if (index == 0 || _asked.Count >= MostInterfaces || !_asked.Add(index))
                continue;
            if (hasInterface(index) is { } isHere)
                _isGone[index] = !isHere;
            else
                _isGone.TryRemove(index, out _);
        }
    }

    /// <param name="index">0: the layout keeps none, so nothing is known.</param>
    public bool IsGone(uint index) => index != 0 && _isGone.TryGetValue(index, out bool isGone) && isGone;

    /// <summary>Another network namespace is asked from now on, or another map scanned.</summary>
    public void Void() => _isGone.Clear();

    public bool IsHere(uint index) => _isGone.TryGetValue(index, out bool isGone) && !isGone;
}
