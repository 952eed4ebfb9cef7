using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Queues;

namespace ConntrackStream.Sinks.MapCleaning.NpaLog;

/// <summary>
/// Tells which deletes hit living flows, from one pass over the flow log in its order. A flow matches a key by its original or its reply
/// tuple, in either orientation, in any zone. Indexed are the deletes, not the flows: memory is bounded by the number of deleted keys.
/// </summary>
internal sealed class DeleteJudge
{
    private readonly Dictionary<SuspectKey, Suspect> _suspects = [];
    private readonly IReadOnlyList<NpaDelete> _deletes;
    private readonly NpaDelete[] _byTime;
    private readonly bool _anyWithoutPorts;
    private long _first = long.MaxValue, _last = long.MinValue; // what the flow log covers, ns since the Unix epoch

    internal DeleteJudge(IReadOnlyList<NpaDelete> deletes)
    {
        _deletes = deletes;
        _byTime = [.. deletes.Where(static delete => delete.Time is not null).OrderBy(static delete => delete.Time!.Value.From)];
        foreach (NpaDelete delete in deletes)
        {
            if (delete.Key is not { } mapKey)
                continue;
            SuspectKey key = SuspectKey.Of(mapKey.Tuple);
            if (!_suspects.TryGetValue(key, out Suspect? suspect))
                _suspects[key] = suspect = new Suspect();
            suspect.Add(delete);
            _anyWithoutPorts |= !key.HasPorts;
        }
    }

    /// <param name="isKernelEvent">
    /// The record's origin is event: only those (and gaps) say what the log covers. The first dump's records have the time each flow began,
    /// which may be long before.
    /// </param>
    internal void Add(in FlowEvent e, bool isKernelEvent)
    {
        if (isKernelEvent)
            Cover(e.Time);
        SuspectKey original = SuspectKey.Of(e.Flow.Original);
        Add(original, e);
        if (e.Flow.Has(FlowFields.Reply) && SuspectKey.Of(e.Flow.Reply) is var reply && reply != original)
            Add(reply, e);
    }

    internal void Add(FlowGap gap)
    {
        if (!gap.HidesFlows)
        {
            Cover(gap.To);
            return;
        }

        long from = gap.From != 0 ? gap.From : _last; // unknown: since the record before
        for (int i = FirstAtOrAfter(from); i < _byTime.Length && _byTime[i].Time!.Value.From <= gap.To; i++)
            _byTime[i].IsInGap = true;
        Cover(gap.To);
        foreach (Suspect suspect in _suspects.Values)
        {
            if (gap.Reason == FlowGapReason.Restart)
                suspect.Restart(from);
            else if (gap.Reason is FlowGapReason.SinkQueueFull or FlowGapReason.SinkFailed)
                suspect.Doubt(from); // changes that no resync repairs in the log
        }
    }

    internal void Finish()
    {
        foreach (Suspect suspect in _suspects.Values)
            suspect.Finish();
        foreach (NpaDelete delete in _deletes)
        {
            bool isCovered = delete.Time is { } time && time.Last >= _first && time.From <= _last && !delete.IsInGap;
            if (delete.Key is null || !isCovered)
                delete.Verdict = Verdict.Unknown;
        }
    }

    private void Add(in SuspectKey key, in FlowEvent e)
    {
        if (_suspects.TryGetValue(key, out Suspect? exact))
            Add(exact, e);
        if (_anyWithoutPorts && key.HasPorts && _suspects.TryGetValue(key.WithoutPorts(), out Suspect? any))
            Add(any, e);
    }

    private static void Add(Suspect suspect, in FlowEvent e)
    {
        long? start = e.Flow.Has(FlowFields.StartTime) ? e.Flow.StartTime : null;
        if (e.Type == FlowEventType.Destroy)
            suspect.End(e.Flow.Original, start, e.Flow.Has(FlowFields.StopTime) ? e.Flow.StopTime : null, e.Time);
        else
            suspect.Live(e.Flow.Original, start, e.Time);
    }

    private void Cover(long time)
    {
        _first = Math.Min(_first, time);
        _last = Math.Max(_last, time);
    }

    private int FirstAtOrAfter(long time)
    {
        int low = 0, high = _byTime.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_byTime[middle].Time!.Value.Last < time)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }
}
