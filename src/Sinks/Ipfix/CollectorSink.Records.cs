using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Ipfix.Wire;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.Ipfix;

// Changes become records.
internal sealed partial class CollectorSink
{
    private void Write(FlowChangeBatch batch)
    {
        _exporter.Use(_connection);
        foreach (ref readonly FlowChange change in batch.Span)
        {
            if (_choice.Takes(change))
                Write(change);
            else
                Counters.Filtered++;
            if (change.Kind == FlowChangeKind.Ended)
                _longFlows.Remove(change.Id);
        }
    }

    private void Write(in FlowChange change)
    {
        switch (change.Kind)
        {
            case FlowChangeKind.Started:
                WriteTranslation(change, isEnd: false);
                break;
            case FlowChangeKind.Updated:
                WriteInterim(change);
                break;
            case FlowChangeKind.Ended:
                WriteFlow(change, change.End != 0 ? change.End : change.Time);
                WriteTranslation(change, isEnd: true);
                break;
            case FlowChangeKind.Refused:
                _exporter.AddRefused(change);
                break;
            default:
                _exporter.AddGap(change);
                break;
        }
    }

    /// <summary>
    /// A change of its state has no counters, and is no report; nor is there a record of a flow without packets since the last.
    /// </summary>
    private void WriteInterim(in FlowChange change)
    {
        FlowCounts counts = FlowCounts.Of(change.Flow);
        FlowCounts before = _longFlows.TryGet(change.Id, out LongFlows.Reported last) ? last.Counts : default;
        if (change.Origin == FlowOrigin.Event || counts == before)
            return;
        if (!_longFlows.HasRoomFor(change.Id, change.Time))
        {
            Counters.InterimSkipped++;
            if (!_hasWarnedOfLongFlows)
                _logger.TooManyLongFlows(_longFlows.Count, _address.ToString());
            _hasWarnedOfLongFlows = true;
        }
        else if (WriteFlow(change, change.Time))
        {
            _longFlows.Set(change.Id, new LongFlows.Reported(counts, change.Time));
        }
    }

    private bool WriteFlow(in FlowChange change, long end)
    {
        if (!_exporter.TryAdd(FlowTemplates.For(change.Flow.Original), change, out Span<byte> record))
            return false;
        FlowCounts counts = FlowCounts.Of(change.Flow);
        long start = change.Start != 0 ? change.Start : change.Flow.KnownStart;
        if (_longFlows.TryGet(change.Id, out LongFlows.Reported reported))
            (counts, start) = (counts.Since(reported.Counts), reported.Until);
        FlowData.Write(record, change.Flow, new FlowReport(
            start == 0 ? end : Math.Min(start, end), // IPFIX knows no unknown start
            end,
            counts,
            FlowEndReasons.Of(change),
            _directions.Of(change.Flow) == FlowDirection.Egress,
            IdOf(change)));
        return true;
    }

    private void WriteTranslation(in FlowChange change, bool isEnd)
    {
        ref readonly Flow flow = ref change.Flow;
        const FlowStatus translated = FlowStatus.SourceNat | FlowStatus.DestinationNat;
        if (_natEvents is not { } events || !flow.Has(FlowFields.BothTuples)
            || !(flow.IsSourceNat || flow.IsDestinationNat || (flow.Status & translated) != FlowStatus.None))
            return;
        bool isIPv6 = flow.Original.IsIPv6;
        if (!_exporter.TryAdd(isIPv6 ? NatRecord.IPv6 : NatRecord.IPv4, change, out Span<byte> record))
            return;
        long time = isEnd ? change.End : change.Start;
        (byte create, byte delete) = isIPv6 ? (NatRecord.TranslationCreate, NatRecord.TranslationDelete) : events;
        NatRecord.Write(record, flow, time != 0 ? time : change.Time, isEnd ? delete : create, IdOf(change));
    }

    private static ulong IdOf(in FlowChange change) => change.Id.IsNone ? 0 : change.Id.SecondHalf;
}
