using System.Runtime.InteropServices;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.MapCleaning.Delete;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.MapCleaning.Absence;

/// <summary>
/// Traffic under NOTRACK is in the map but never in conntrack: a group of many keys of which none has ever matched a flow, and that is
/// still in use, is taken for that and exempt from deleting. What has matched is remembered as long as the group has a key in the map, also
/// over a restart. Used by the loop only.
/// </summary>
/// <param name="threshold">Keys without a flow from which on a group that never matched is exempt.</param>
internal sealed class UntrackedGroups(int threshold)
{
    /// <summary>A map of the agent's has half as many keys; what matches beyond them, each scan learns again.</summary>
    private const int MostMatches = 1 << 20;

    private readonly Dictionary<MapGroup, Missed> _missed = []; // in the scan under way, of groups that never matched
    private readonly List<MapGroup> _candidates = []; // those among them that reached the threshold
    private HashSeed _seed = HashSeed.Random();
    private HashSet<ulong> _matched = []; // hashes of the groups that have matched, as of the last scan
    private HashSet<ulong> _matching = []; // as of the scan under way
    private HashSet<ulong> _remembered = []; // that had matched before and now have keys without a flow alone, as of the last scan
    private HashSet<ulong> _remembering = []; // as of the scan under way
    private Dictionary<MapGroup, int> _exempt = [];

    /// <summary>Keys of one group without a flow.</summary>
    private struct Missed
    {
        public int Keys;

        /// <summary>One of them has been used lately, or their age is not known.</summary>
        public bool IsInUse;
    }

    /// <summary>The exempt groups, and how many keys each had in the last scan. Never changes: another one takes its place.</summary>
    public IReadOnlyDictionary<MapGroup, int> Exempt => _exempt;

    /// <summary>A key of the group belongs, or belonged, to a flow.</summary>
    public void Match(in MapGroup group)
    {
        if (_matching.Count < MostMatches)
            _matching.Add(Hash(group));
        if (!IsExempt(group))
            return;
        Dictionary<MapGroup, int> fewer = new(_exempt);
        fewer.Remove(group);
        _exempt = fewer;
    }

    /// <summary>A key of the group has no flow.</summary>
    /// <param name="isOld">No packet has used it for longer than the kernel keeps any flow of the protocol.</param>
    public void Miss(in MapGroup group, bool isOld)
    {
        ulong hash = Hash(group);
        if (_matched.Contains(hash) || _remembered.Contains(hash))
        {
            _remembering.Add(hash);
            return;
        }

        ref Missed missed = ref CollectionsMarshal.GetValueRefOrAddDefault(_missed, group, out _);
        missed.IsInUse |= !isOld;
        if (++missed.Keys == threshold)
            _candidates.Add(group);
    }

    public bool IsExempt(in MapGroup group) => _exempt.Count > 0 && _exempt.ContainsKey(group);

    /// <summary>The scan is over and counts.</summary>
    public void Commit()
    {
        _exempt = _candidates.Where(group => _missed[group].IsInUse && !_matching.Contains(Hash(group)))
            .ToDictionary(group => group, group => _missed[group].Keys);
        (_matched, _matching) = (_matching, _matched);
        _matching.Clear();
        (_remembered, _remembering) = (_remembering, _remembered);
        Discard();
    }

    /// <summary>The scan under way does not count; what has matched in it has.</summary>
    public void Discard()
    {
        _missed.Clear();
        _candidates.Clear();
        _remembering.Clear();
        _matched.UnionWith(_matching);
    }

    /// <summary>Another map: nothing known holds.</summary>
    public void Void()
    {
        Discard();
        _matched.Clear();
        _matching.Clear();
        _remembered.Clear();
        _exempt = [];
    }

    /// <summary>The groups that have matched, those of the last scan first.</summary>
    public MatchedGroups ToMemory()
    {
        ulong[] hashes = new ulong[Math.Min(MatchedGroups.MostGroups, _matched.Count + _remembered.Count)];
        int latest = Math.Min(hashes.Length, _matched.Count);
        _matched.CopyTo(hashes, 0, latest);
        int count = latest;
        foreach (ulong hash in _remembered)
        {
            if (count == hashes.Length)
                break;
            if (!_matched.Contains(hash))
                hashes[count++] = hash;
        }

        return new MatchedGroups(_seed.A, _seed.B, hashes[..count]);
    }

    /// <summary>What an earlier run had learnt of this map. Before anything else is known of it.</summary>
    public void Restore(MatchedGroups earlier)
    {
        Void();
        _seed = new HashSeed(earlier.SecretA, earlier.SecretB);
        _remembered.UnionWith(earlier.Hashes);
    }

    private ulong Hash(in MapGroup group) => group.Hash(_seed).Value;
}
