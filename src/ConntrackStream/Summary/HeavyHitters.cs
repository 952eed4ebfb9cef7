using System.Runtime.InteropServices;

namespace ConntrackStream.Service.Summary;

/// <summary>A key with the most weight.</summary>
/// <param name="Weight">At least its own, and at most <paramref name="Error"/> more.</param>
/// <param name="Error">How much of the weight may belong to other keys; 0 when it is exact.</param>
internal readonly record struct HeavyHitter<TKey>(TKey Key, ulong Weight, ulong Error);

/// <summary>
/// The keys with the most weight of a stream of any length, in bounded memory: Space-Saving (Metwally, Agrawal, El Abbadi 2005). It is
/// exact while there are no more keys than counters. Beyond that, a new key takes over the counter with the least weight, so each key with
/// more than (all weight) / (counters) is there, and no weight is more than that too high.
/// </summary>
internal sealed class HeavyHitters<TKey>(int counters)
    where TKey : struct, IEquatable<TKey>
{
    private readonly Dictionary<TKey, int> _places = []; // of a key's counter
    private readonly List<Counter> _counters = [];
    private readonly List<int> _heap = []; // places of counters, the one with the least weight first

    /// <summary>No counter has been taken over: every weight is exact.</summary>
    internal bool IsExact { get; private set; } = true;

    /// <summary>Keys that have a counter.</summary>
    internal int Count => _counters.Count;

    internal void Add(in TKey key, ulong weight)
    {
        if (weight == 0)
            return;
        if (_places.TryGetValue(key, out int place))
        {
            Span[place].Weight += weight;
            Sink(Span[place].HeapIndex);
        }
        else if (_counters.Count < counters)
        {
            _places.Add(key, _counters.Count);
            _counters.Add(new Counter { Key = key, Weight = weight, HeapIndex = _heap.Count });
            _heap.Add(_counters.Count - 1);
            Rise(_heap.Count - 1);
        }
        else
        {
            TakeOverLeast(key, weight);
        }
    }

    /// <summary>The heaviest first.</summary>
    internal IReadOnlyList<HeavyHitter<TKey>> Top(int count) => [
        .. _counters.OrderByDescending(static counter => counter.Weight).Take(count)
            .Select(static counter => new HeavyHitter<TKey>(counter.Key, counter.Weight, counter.Error))];

    private Span<Counter> Span => CollectionsMarshal.AsSpan(_counters);

    private void TakeOverLeast(in TKey key, ulong weight)
    {
        IsExact = false;
        int place = _heap[0];
        ref Counter least = ref Span[place];
        _places.Remove(least.Key);
        _places.Add(key, place);
        least.Key = key;
        least.Error = least.Weight;
        least.Weight += weight;
        Sink(0);
    }

    private void Rise(int index)
    {
        while (index > 0 && WeightAt(index) < WeightAt((index - 1) / 2))
        {
            Swap(index, (index - 1) / 2);
            index = (index - 1) / 2;
        }
    }

    private void Sink(int index)
    {
        while (true)
        {
            int child = (2 * index) + 1;
            if (child >= _heap.Count)
                return;
            if (child + 1 < _heap.Count && WeightAt(child + 1) < WeightAt(child))
                child++;
            if (WeightAt(index) <= WeightAt(child))
                return;
            Swap(index, child);
            index = child;
        }
    }

    private ulong WeightAt(int index) => Span[_heap[index]].Weight;

    private void Swap(int one, int other)
    {
        (_heap[one], _heap[other]) = (_heap[other], _heap[one]);
        Span[_heap[one]].HeapIndex = one;
        Span[_heap[other]].HeapIndex = other;
    }

    private struct Counter
    {
        public TKey Key;
        public ulong Weight, Error;
        public int HeapIndex;
    }
}
