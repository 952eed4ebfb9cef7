using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Archive.Who;

/// <summary>What the records of one flow say together.</summary>
internal sealed class FlowLife(LifeKey key, in Flow flow)
{
    private long _counted; // time of the record with the counters

    internal LifeKey Key { get; } = key;

    /// <summary>Its tuples; counters and times are those of this class.</summary>
    internal Flow Flow { get; private set; } = flow;

    /// <summary>ns since the Unix epoch; 0 = unknown.</summary>
    internal long Start { get; private set; }

    /// <summary>ns since the Unix epoch; 0 = no record of an end.</summary>
    internal long End { get; private set; }

    internal bool HasStartRecord { get; private set; }

    internal LogPlace LastPlace { get; private set; }

    /// <summary>An earlier flow of the answer is the same connection: see <see cref="SameConnection"/>.</summary>
    internal FlowLife? Same { get; set; }

    internal void Add(FlowEventType type, long time, in Flow flow, LogPlace place)
    {
        long start = flow.Has(FlowFields.StartTime) ? flow.StartTime : type == FlowEventType.New ? time : 0;
        SetStart(start);
        HasStartRecord |= type == FlowEventType.New;
        if (type == FlowEventType.Destroy)
            End = Math.Max(End, flow.Has(FlowFields.StopTime) ? flow.StopTime : time);
        SetCounters(flow, time);
        LastPlace = place;
    }

    /// <summary>Records of the same flow in another part of the log.</summary>
    internal void Add(FlowLife other)
    {
        SetStart(other.Start);
        HasStartRecord |= other.HasStartRecord;
        End = Math.Max(End, other.End);
        SetCounters(other.Flow, other._counted);
        LastPlace = LogPlace.Later(LastPlace, other.LastPlace);
    }

    /// <summary>Another flow has its id at this time: it has ended, and its end is not in the log.</summary>
    internal void EndBefore(long time) => End = End == 0 ? time : End;

    /// <summary>An unknown start was before, an unknown end comes after.</summary>
    internal bool Overlaps(long from, long to) => Start <= to && (End == 0 || End >= from);

    private void SetStart(long start)
    {
        if (start != 0 && (Start == 0 || start < Start))
            Start = start;
    }

    private void SetCounters(in Flow flow, long time)
    {
        bool hasCounters = (flow.Present & (FlowFields.OriginalCounters | FlowFields.ReplyCounters)) != FlowFields.None;
        if (!hasCounters || time < _counted)
            return;
        _counted = time;
        Flow = flow;
    }
}
