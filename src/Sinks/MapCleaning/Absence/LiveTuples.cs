using System.Runtime.InteropServices;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.LiveView;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.MapCleaning.Absence;

/// <summary>
/// Does a map key's tuple belong to a live flow of the view: as original or reply tuple, in either orientation, in any zone? Keys without
/// ports are shared by many flows, which the view cannot find by addresses alone: those addresses are gathered before each scan, and only
/// grow until the next one, which gathers anew. Used by the loop only.
/// </summary>
internal sealed class LiveTuples : ITupleVisitor
{
    private const int DefaultZone = 0; // NF_CT_DEFAULT_ZONE_ID

    private readonly LiveRows _view;
    private readonly HashSet<FlowTuple> _shared = [];
    private readonly List<ushort> _zones = [];
    private readonly bool[] _isZone = new bool[1 << 16];

    public LiveTuples(LiveRows view)
    {
        _view = view;
        AddZone(DefaultZone);
    }

    /// <summary>All zones seen in the view, each once; the default zone is always among them.</summary>
    public ReadOnlySpan<ushort> Zones => CollectionsMarshal.AsSpan(_zones);

    public bool Wants(ushort originalZone, ushort replyZone, IpProtocol protocol)
    {
        AddZone(originalZone);
        AddZone(replyZone);
        return MapKeys.IsShared(protocol);
    }

    public void Visit(in FlowTuple original, in FlowTuple reply)
    {
        _shared.Add(MapKeys.Canonical(original));
        _shared.Add(MapKeys.Canonical(reply));
    }

    /// <summary>A flow that started after the last scan was opened.</summary>
    public void Add(in Flow flow)
    {
        if (Wants(flow.Original.Zone, flow.Reply.Zone, flow.Original.Protocol))
            Visit(flow.Original, flow.Reply);
    }

    /// <summary>Whether some live flow has this key.</summary>
    public bool Holds(in FlowTuple tuple)
    {
        if (MapKeys.IsShared(tuple.Protocol))
            return _shared.Contains(MapKeys.Canonical(tuple));
        return Find(tuple) >= 0;
    }

    /// <summary>Slot of a flow with this tuple (with ports); -1 when there is none in any zone.</summary>
    public int Find(in FlowTuple tuple)
    {
        FlowTuple inverse = MapKeys.Inverse(tuple);
        return Find(tuple, inverse, _view.Prefetch(tuple, inverse));
    }

    /// <summary>Slot of a flow with this tuple (with ports); -1 when there is none in any zone.</summary>
    /// <param name="hash">As <see cref="LiveRows.Prefetch"/> gave it for the default zone.</param>
    public int Find(in FlowTuple tuple, in FlowTuple inverse, ulong hash)
    {
        int slot = _view.FindEitherWay(tuple, inverse, hash);
        for (int i = 0; slot < 0 && i < _zones.Count; i++)
        {
            if (_zones[i] == DefaultZone)
                continue;
            FlowTuple there = tuple with { Zone = _zones[i] }, back = inverse with { Zone = _zones[i] };
            slot = _view.FindEitherWay(there, back, _view.Prefetch(there, back));
        }

        return slot;
    }

    private void AddZone(ushort zone)
    {
        if (_isZone[zone])
            return;
        _isZone[zone] = true;
        _zones.Add(zone);
    }
}
