using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.MapCleaning.Absence;

/// <summary>
/// On whose behalf the map has keys, and by which interfaces: what a flow does not tell, and without which none of its keys can be built.
/// Learned from each scan. Used by the loop only.
/// </summary>
internal sealed class MapOwners
{
    /// <summary>A node has some hundred pods; more than this is not what it seems.</summary>
    private const int MostOwners = 1 << 16;

    private Dictionary<IpAddress, uint[]> _known = [];
    private Dictionary<IpAddress, uint[]> _learned = [];

    public void Learn(in MapKey key)
    {
        if (!_learned.TryGetValue(key.Owner, out uint[]? interfaces))
        {
            if (_learned.Count < MostOwners)
                _learned.Add(key.Owner, [key.InterfaceIndex]);
        }
        else if (!interfaces.Contains(key.InterfaceIndex) && interfaces.Length < 8)
        {
            _learned[key.Owner] = [.. interfaces, key.InterfaceIndex];
        }
    }

    /// <summary>The scan is over: what it has not seen is forgotten.</summary>
    public void Commit()
    {
        (_known, _learned) = (_learned, _known);
        _learned.Clear();
    }

    public void Discard() => _learned.Clear();

    public void Void()
    {
        _known.Clear();
        _learned.Clear();
    }

    /// <summary>The interfaces by which the map has keys of this owner; none when it has no keys.</summary>
    public ReadOnlySpan<uint> InterfacesOf(IpAddress owner) => _known.TryGetValue(owner, out uint[]? interfaces) ? interfaces : [];
}
