using System.Runtime.InteropServices;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Service.Verbs.Top;

/// <summary>
/// Turns dumps of the kernel's table into rates: a flow's counters less those of the dump before. A flow that was not in that dump began
/// since, so all it has counted is of this interval. Used by one thread.
/// </summary>
/// <param name="filter">Which flows count.</param>
/// <param name="most">Rows that a view has at most.</param>
internal sealed class FlowMeter(FlowFilter filter, int most)
{
    /// <summary>Addresses or services of a view: remote hosts choose them, so their number has a bound.</summary>
    internal const int MostGroups = 65_536;

    private readonly PriorityQueue<TopFlow, double> _best = new();
    private readonly Dictionary<(FlowFamily, IpAddress), TopFigures> _sources = [], _destinations = [];
    private readonly Dictionary<(IpProtocol, ushort), TopFigures> _services = [];
    private Dictionary<ulong, Counters> _before = [], _now = [];
    private TopSort _sort;
    private double _seconds; // since the dump before; 0: there was none
    private long _begunAt;
    private long _flows;
    private bool _counts;
    private bool _leftOut;

    /// <summary>Begins a dump.</summary>
    /// <param name="now">ns since the Unix epoch.</param>
    /// <param name="sort">What is kept of more flows than <see cref="most"/>.</param>
    internal void Begin(long now, TopSort sort)
    {
        _seconds = _begunAt == 0 ? 0 : Math.Max((now - _begunAt) / 1e9, 0.001);
        (_begunAt, _sort, _flows, _counts, _leftOut) = (now, sort, 0, false, false);
        (_before, _now) = (_now, _before);
        _now.Clear();
        _best.Clear();
        _sources.Clear();
        _destinations.Clear();
        _services.Clear();
    }

    internal void Add(FlowBatch batch)
    {
        foreach (ref readonly FlowEvent entry in batch.Span)
        {
            if (filter.Matches(entry.Flow))
                Add(entry.Flow);
        }
    }

    internal TopTable End()
    {
        List<TopFlow> flows = new(_best.Count);
        while (_best.TryDequeue(out TopFlow? flow, out _))
            flows.Add(flow);
        flows.Reverse();
        return new TopTable
        {
            Matching = _flows,
            HasRates = _seconds > 0,
            HasCounters = _counts || _flows == 0,
            LeftOut = _leftOut,
            Flows = flows,
            Sources = Groups(_sources, static key => TopText.Address(key.Item1, key.Item2)),
            Destinations = Groups(_destinations, static key => TopText.Address(key.Item1, key.Item2)),
            Services = Groups(_services, static key => TopText.Service(key.Item1, key.Item2)),
        };
    }

    private void Add(in Flow flow)
    {
        ulong key = Key(flow);
        ref Counters seen = ref CollectionsMarshal.GetValueRefOrAddDefault(_now, key, out bool isRepeated);
        if (isRepeated)
            return; // a dump may show an entry twice
        seen = new Counters(flow.OriginalBytes + flow.ReplyBytes, flow.OriginalPackets + flow.ReplyPackets);
        _counts |= flow.Has(FlowFields.OriginalCounters);
        _flows++;
        double bytes = 0, packets = 0;
        if (_seconds > 0)
        {
            _before.TryGetValue(key, out Counters before);
            bytes = seen.Bytes > before.Bytes ? (seen.Bytes - before.Bytes) / _seconds : 0; // less: they were read and reset
            packets = seen.Packets > before.Packets ? (seen.Packets - before.Packets) / _seconds : 0;
        }

        double age = flow.KnownStart > 0 ? Math.Max(0, (_begunAt - flow.KnownStart) / 1e9) : -1;
        TopFigures figures = new(1, bytes, packets, seen.Bytes);
        Keep(flow, figures, age);
        Credit(_sources, (flow.Original.Family, flow.Original.Source), figures);
        Credit(_destinations, (flow.Original.Family, flow.Original.Destination), figures);
        ushort port = flow.Original.Protocol.HasPorts() ? flow.Original.DestinationPort : (ushort)0;
        Credit(_services, (flow.Original.Protocol, port), figures);
    }

    private void Keep(in Flow flow, TopFigures figures, double age)
    {
        double rank = TopFlow.Rank(_sort, figures, age);
        if (_best.Count < most)
            _best.Enqueue(new TopFlow(flow, figures, age), rank);
        else if (_best.TryPeek(out _, out double least) && rank > least)
            _best.EnqueueDequeue(new TopFlow(flow, figures, age), rank);
    }

    private void Credit<TKey>(Dictionary<TKey, TopFigures> groups, TKey key, TopFigures figures)
        where TKey : notnull
    {
        if (groups.Count >= MostGroups && !groups.ContainsKey(key))
        {
            _leftOut = true;
            return;
        }

        ref TopFigures sum = ref CollectionsMarshal.GetValueRefOrAddDefault(groups, key, out _);
        sum += figures;
    }

    private List<TopGroup> Groups<TKey>(Dictionary<TKey, TopFigures> groups, Func<TKey, string> name)
        where TKey : notnull =>
        [
            .. groups.OrderByDescending(group => TopGroup.Rank(_sort, group.Value)).Take(most)
                .Select(group => new TopGroup(name(group.Key), group.Value)),
        ];

    // Whoever chooses addresses and ports does not know the hash's secret: two flows have one key by chance alone, 1 in 2^64.
    private ulong Key(in Flow flow) => KeyedHash.Start.Add(flow.Original).Add(flow.Id).Value;

    private readonly record struct Counters(ulong Bytes, ulong Packets);
}
