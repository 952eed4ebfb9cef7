using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Ipfix.Wire;

namespace ConntrackStream.Sinks.Ipfix;

/// <summary>
/// What has been reported of flows that last, so that each record has only what is new. Bounded. A flow whose end was never heard of is
/// forgotten when there is no room and it has not been reported for longer than an interval can be. Used by one thread at a time.
/// </summary>
/// <param name="most">Flows remembered at most.</param>
internal sealed class LongFlows(int most)
{
    /// <summary>80 MB at most.</summary>
    internal const int UsualMost = 1_000_000;

    // Pipeline:InterimInterval is a week at most, and an audit may be late
    private static readonly long Patience = (long)TimeSpan.FromDays(8).TotalNanoseconds;

    private readonly Dictionary<FlowId, Reported> _flows = [];
    private long _purgedAt; // ns since the Unix epoch

    internal int Count => _flows.Count;

    /// <summary>What was reported before; nothing for most flows.</summary>
    internal bool TryGet(FlowId flow, out Reported reported)
    {
        if (_flows.Count > 0)
            return _flows.TryGetValue(flow, out reported);
        reported = default;
        return false;
    }

    /// <summary>There is room for this flow, or it is remembered already.</summary>
    internal bool HasRoomFor(FlowId flow, long now)
    {
        if (_flows.Count >= most)
            Purge(now);
        return _flows.Count < most || _flows.ContainsKey(flow);
    }

    internal void Set(FlowId flow, in Reported reported) => _flows[flow] = reported;

    internal void Remove(FlowId flow)
    {
        if (_flows.Count > 0)
            _flows.Remove(flow);
    }

    /// <summary>Adds what an earlier run reported.</summary>
    internal void Add(ReadOnlySpan<LongFlowsFile.Entry> entries)
    {
        foreach (LongFlowsFile.Entry entry in entries[..Math.Min(entries.Length, most)])
            Set(entry.Flow, entry.Reported);
    }

    internal LongFlowsFile.Entry[] ToArray() => [.. _flows.Select(static flow => new LongFlowsFile.Entry(flow.Key, flow.Value))];

    /// <summary>Once an hour at most: it visits every flow.</summary>
    private void Purge(long now)
    {
        if (now - _purgedAt < (long)TimeSpan.FromHours(1).TotalNanoseconds)
            return;
        _purgedAt = now;
        foreach ((FlowId flow, Reported reported) in _flows)
        {
            if (now - reported.Until > Patience)
                _flows.Remove(flow);
        }
    }

    /// <param name="Counts">All that the records so far add up to.</param>
    /// <param name="Until">End of the last one, ns since the Unix epoch.</param>
    internal readonly record struct Reported(FlowCounts Counts, long Until);
}
