using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Pipeline.LiveView;

/// <summary>The flows of one family and the rules by which messages change them. Used by the loop only.</summary>
internal sealed partial class FamilyView<TKey>(ViewContext context)
    where TKey : unmanaged, IFlowKey<TKey>
{
    private readonly FlowTable<TKey> _table = new(context.Seed);
    private readonly Dictionary<int, FlowExtras> _extras = [];
    private readonly Dictionary<TKey, Ended> _endedInRound = [];
    private readonly Dictionary<int, PendingIncarnation> _mismatches = [];

    /// <summary>Flows held, those not announced yet left out.</summary>
    public int Count => _table.Count - _provisional;

    /// <summary>Flows that may end without a DESTROY.</summary>
    public int Untapped { get; private set; }

    public int Slots => _table.Slots;

    public void StartTrim() => _table.StartTrim();

    public bool Trim() => _table.Trim();

    private int _provisional;

    private sealed record PendingIncarnation(Flow Flow, FlowExtras? Extras);

    private int Insert(in TKey key, ulong hash, in Flow flow, RowFlags flags)
    {
        int slot = _table.Insert(key, hash, TKey.From(flow.Reply));
        ref FlowRow<TKey> row = ref _table[slot];
        row.PackedId = context.Ids.Mint();
        row.Generation = context.NextGeneration();
        row.ConntrackId = flow.Id;
        row.LossEpoch = context.ProvenEpoch;
        row.Flags |= flags;
        row.Refresh(flow, context.NowSeconds);
        row.Reported = context.NowSeconds;
        if (flow.Extras is not null)
            KeepExtras(slot, ref row, flow.Extras);
        Tally(flags, +1);
        return slot;
    }

    /// <summary>The last flow of a key that ended in the round under way.</summary>
    /// <param name="Id">The kernel's.</param>
    /// <param name="At">ns since the Unix epoch.</param>
    private readonly record struct Ended(uint Id, long At);

    private void Remove(int slot, ulong hash, long endedAt)
    {
        ref FlowRow<TKey> row = ref _table[slot];
        if (row.Is(RowFlags.HasExtras))
            _extras.Remove(slot);
        if (row.Is(RowFlags.Mismatch))
            _mismatches.Remove(slot);
        if (context.RoundOpen)
            _endedInRound[row.Original] = new Ended(row.ConntrackId, endedAt);
        Tally(row.Flags, -1);
        _table.Remove(slot, hash);
    }

    private void SetTapped(ref FlowRow<TKey> row)
    {
        Tally(row.Flags, -1);
        row.Flags &= ~(RowFlags.Provisional | RowFlags.Untapped);
    }

    private void Tally(RowFlags flags, int sign)
    {
        if ((flags & RowFlags.Untapped) != RowFlags.None)
            Untapped += sign;
        if ((flags & RowFlags.Provisional) != RowFlags.None)
            _provisional += sign;
    }

    private void KeepExtras(int slot, ref FlowRow<TKey> row, FlowExtras extras)
    {
        _extras[slot] = extras.Clone();
        row.Flags |= RowFlags.HasExtras;
    }

    /// <summary>What a dump told of a flow turns out to be another's, or may be.</summary>
    private void Forget(int slot, ref FlowRow<TKey> row)
    {
        row.Forget();
        if (row.Is(RowFlags.HasExtras))
            _extras.Remove(slot);
        row.Flags &= ~RowFlags.HasExtras;
    }

    /// <summary>Writes a change from a row, with everything the view knows of the flow.</summary>
    private ref FlowChange Emit(FlowChangeKind kind, FlowOrigin origin, int slot, long time)
    {
        ref FlowRow<TKey> row = ref _table[slot];
        ref FlowChange change = ref context.Changes.Add(kind, origin);
        row.CopyTo(out change.Flow);
        change.Id = context.Ids.Unpack(row.PackedId);
        change.Generation = row.Generation;
        change.Start = row.Start;
        change.Time = time;
        if (row.Is(RowFlags.HasExtras))
            change.Flow.Extras = context.Changes.Copy(_extras[slot]);
        row.Reported = context.NowSeconds;
        return ref change;
    }

    /// <summary>Ends a flow whose DESTROY was never seen.</summary>
    private void EndUnseen(int slot, ulong hash, FlowOrigin origin, long time)
    {
        ref FlowRow<TKey> row = ref _table[slot];
        long left = (long)row.AsOf + row.Timeout - context.NowSeconds;
        Emit(FlowChangeKind.Ended, origin, slot, time).TimeLeft = (uint)Math.Clamp(left, 0, row.Timeout);
        Remove(slot, hash, time);
    }
}
