using System.Runtime.InteropServices;

namespace ConntrackStream.Pipeline.Delete;

/// <summary>
/// Traffic under NOTRACK is in the map but never in conntrack: a group of many keys of which none has ever matched a flow is taken for that,
/// and exempt from deleting. What has matched is remembered as long as the group has a key in the map. Used by the loop only.
/// </summary>
/// <param name="threshold">Keys without a flow from which on a group that never matched is exempt.</param>
internal sealed class UntrackedGroups(int threshold)
{
    private readonly Dictionary<MapGroup, int> _missed = []; // keys without a flow in the scan under way, of groups that never matched
    private readonly List<MapGroup> _candidates = []; // those among them that reached the threshold
    private HashSet<ulong> _matched = []; // hashes of the groups that have matched, as of the last scan
    private HashSet<ulong> _matching = []; // as of the scan under way
    private Dictionary<MapGroup, int> _exempt = [];

    /// <summary>The exempt groups, and how many keys each had in the last scan. Never changes: another one takes its place.</summary>
    public IReadOnlyDictionary<MapGroup, int> Exempt => _exempt;

    /// <summary>A key of the group belongs, or belonged, to a flow.</summary>
    public void Match(in MapGroup group)
    {
        _matching.Add(Hash(group));
        if (!IsExempt(group))
            return;
        Dictionary<MapGroup, int> fewer = new(_exempt);
        fewer.Remove(group);
        _exempt = fewer;
    }

    /// <summary>A key of the group has no flow.</summary>
    public void Miss(in MapGroup group)
    {
        ulong hash = Hash(group);
        if (_matched.Contains(hash))
            _matching.Add(hash);
        else if (++CollectionsMarshal.GetValueRefOrAddDefault(_missed, group, out _) == threshold)
            _candidates.Add(group);
    }

    public bool IsExempt(in MapGroup group) => _exempt.Count > 0 && _exempt.ContainsKey(group);

    /// <summary>The scan is over and counts.</summary>
    public void Commit()
    {
        _exempt = _candidates.Where(group => !_matching.Contains(Hash(group))).ToDictionary(group => group, group => _missed[group]);
        (_matched, _matching) = (_matching, _matched);
        _matching.Clear();
        Discard();
    }

    /// <summary>The scan under way does not count; what has matched in it has.</summary>
    public void Discard()
    {
        _missed.Clear();
        _candidates.Clear();
        _matched.UnionWith(_matching);
    }

    /// <summary>Another map: nothing known holds.</summary>
    public void Void()
    {
        Discard();
        _matched.Clear();
        _matching.Clear();
        _exempt = [];
    }

    private static ulong Hash(in MapGroup group) => group.Hash.Value;
}
