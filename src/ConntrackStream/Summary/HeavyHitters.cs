using System.Runtime.InteropServices;

namespace ConntrackStream.Service.Summary;

/// <summary>A key with the most weight.</summary>
/// <param name="Weight">At least its own, and at most <paramref name="Error"/> more.</param>
/// <param name="Error">How much of the weight may belong to other keys; 0 when it is exact.</param>
internal readonly record struct HeavyHitter<TKey>(TKey Key, ulong Weight, ulong Error)
{
    internal ulong AtLeast => Weight - Error;
}

/// <summary>
/// The keys with the most weight of a stream of any length, in bounded memory (after Misra and Gries 1982). It is exact while there are no
/// more keys than twice the counters. Then the lighter half is forgotten, all at once, so that a key costs little more than a look-up. One
/// that comes later may have been among them, so it begins with the most that one of them had. That is never more than (all weight) /
/// (counters): each key with more is there, and no weight is more than that too high.
/// </summary>
internal sealed class HeavyHitters<TKey>(int counters)
    where TKey : struct, IEquatable<TKey>
{
    private readonly Dictionary<TKey, Counter> _counters = [];
    private ulong[] _weights = [];
    private ulong _forgotten; // the most that a key without a counter can have

    /// <summary>Nothing has been forgotten: every weight is exact.</summary>
    internal bool IsExact => _forgotten == 0;

    /// <summary>Keys that have a counter.</summary>
    internal int Count => _counters.Count;

    internal void Add(in TKey key, ulong weight)
    {
        if (weight == 0)
            return;
        ref Counter counter = ref CollectionsMarshal.GetValueRefOrAddDefault(_counters, key, out bool isKnown);
        if (!isKnown)
            counter.Weight = counter.Error = _forgotten;
        counter.Weight += weight;
        if (!isKnown && _counters.Count > 2 * counters)
            ForgetLighterHalf();
    }

    /// <summary>The heaviest first.</summary>
    internal IReadOnlyList<HeavyHitter<TKey>> Top(int count) => [
        .. _counters.OrderByDescending(static one => one.Value.Weight).Take(count)
            .Select(static one => new HeavyHitter<TKey>(one.Key, one.Value.Weight, one.Value.Error))];

    private void ForgetLighterHalf()
    {
        if (_weights.Length == 0)
            _weights = new ulong[_counters.Count];
        int at = 0, equal = counters;
        foreach (Counter counter in _counters.Values)
            _weights[at++] = counter.Weight;
        Array.Sort(_weights);
        _forgotten = _weights[counters];
        for (at = _weights.Length - 1; _weights[at] > _forgotten; at--)
            equal--; // so many with just that weight may stay
        foreach ((TKey key, Counter counter) in _counters)
        {
            if (counter.Weight < _forgotten || (counter.Weight == _forgotten && equal-- <= 0))
                _counters.Remove(key);
        }
    }

    private struct Counter
    {
        public ulong Weight, Error;
    }
}
