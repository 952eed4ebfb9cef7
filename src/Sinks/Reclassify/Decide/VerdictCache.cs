using ConntrackStream.Sinks.Reclassify.Classify;

namespace ConntrackStream.Sinks.Reclassify.Decide;

/// <summary>
/// Answers of late, so that a burst of flows to one destination asks once. Two generations: the older one is dropped whole, so that nothing
/// is ever searched for what has expired. Not thread-safe.
/// </summary>
/// <param name="capacity">Answers in one generation at most; with the next one it is the older one.</param>
internal sealed class VerdictCache(int capacity)
{
    /// <summary>After so long a generation is the older one, and after twice that gone, ms.</summary>
    private const long Turn = 30_000;

    private Dictionary<FlowQuestion, Entry> _young = [];
    private Dictionary<FlowQuestion, Entry> _old = [];
    private long _turnedAt;

    internal int Count => _young.Count + _old.Count;

    /// <param name="now">ms, monotonic.</param>
    internal bool TryGet(in FlowQuestion question, long now, out Verdict verdict)
    {
        bool found = (_young.TryGetValue(question, out Entry entry) || _old.TryGetValue(question, out entry)) && entry.Until > now;
        verdict = entry.Verdict;
        return found;
    }

    internal void Set(in FlowQuestion question, in Verdict verdict, long now, long until)
    {
        if (now - _turnedAt >= Turn || (_young.Count >= capacity && !_young.ContainsKey(question)))
        {
            (_young, _old) = (_old, _young);
            _young.Clear();
            _turnedAt = now;
        }

        _young[question] = new Entry(verdict, until);
    }

    /// <summary>
    /// Forgets what may be answered otherwise now: questions with an end in one of the ranges. Those whose source was no part of the
    /// question are kept unless their destination is in one.
    /// </summary>
    internal void Forget(AddressRanges ranges)
    {
        Forget(_young, ranges);
        Forget(_old, ranges);
    }

    private static void Forget(Dictionary<FlowQuestion, Entry> answers, AddressRanges ranges)
    {
        foreach (FlowQuestion question in answers.Keys)
        {
            if (ranges.ContainsEitherEnd(question.Original))
                answers.Remove(question); // allowed while enumerating, since .NET Core 3.0
        }
    }

    private readonly record struct Entry(Verdict Verdict, long Until);
}
