using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Loop;

namespace ConntrackStream.Pipeline.LiveView;

/// <summary>
/// The kernel's conntrack table as the event stream tells it: every flow by its original and reply tuple, IPv4 and IPv6 apart so that
/// IPv4 rows stay small. Its only output are changes. Written and read by the pipeline's loop alone.
/// </summary>
internal sealed partial class FlowView(ViewContext context) : ILoopWork
{
    private readonly FamilyView<FlowKey4> _ipv4 = new(context);
    private readonly FamilyView<FlowKey6> _ipv6 = new(context);


    public ViewContext Context { get; } = context;

    /// <summary>Flows held, by family; those of an unfinished round are left out.</summary>
    public int CountIPv4 => _ipv4.Count;

    public int CountIPv6 => _ipv6.Count;

    public int Count => CountIPv4 + CountIPv6;

    /// <summary>Flows known from a dump only, which may end without a DESTROY.</summary>
    public int Untapped => _ipv4.Untapped + _ipv6.Untapped;

    /// <summary>Slots of a family: a scan runs from 0 to this, one family after the other.</summary>
    public int Slots(FlowFamily family) => family == FlowFamily.IPv6 ? _ipv6.Slots : _ipv4.Slots;

    /// <summary>Applies a batch of events.</summary>
    public void Apply(FlowBatch batch)
    {
        ReadOnlySpan<FlowEvent> events = batch.Span;
        Span<ulong> hashes = stackalloc ulong[FlowBatch.Capacity];
        Prefetch(events, hashes);
        for (int i = 0; i < events.Length; i++)
            Apply(events[i], hashes[i]);
    }

    /// <summary>
    /// A batch is worked through in three passes, the first two of which only bring buckets and rows into the cache: in a table larger than
    /// the caches a flow costs four misses, and so those of the whole batch overlap.
    /// </summary>
    private void Prefetch(ReadOnlySpan<FlowEvent> events, Span<ulong> hashes)
    {
        for (int i = 0; i < events.Length; i++)
            hashes[i] = Prefetch(events[i].Flow.Original, events[i].Flow.Reply);
        int starts4 = 0, starts6 = 0;
        for (int i = 0; i < events.Length; i++)
        {
            bool isIPv6 = events[i].Flow.Original.IsIPv6;
            PrefetchRow(isIPv6, hashes[i]);
            if (events[i].Type != FlowEventType.New)
                continue;
            if (isIPv6)
                _ipv6.PrefetchSplit(starts6++);
            else
                _ipv4.PrefetchSplit(starts4++);
        }
    }

    private void Apply(in FlowEvent e, ulong hash)
    {
        switch (e.Flow.Original.Family)
        {
            case FlowFamily.IPv4:
                _ipv4.Apply(e, hash);
                break;
            case FlowFamily.IPv6:
                _ipv6.Apply(e, hash);
                break;
            default:
                Context.Counters.OtherFamily++;
                break;
        }
    }

    /// <summary>The barrier that opens a round has been passed: from here on events win over the dump.</summary>
    public void OpenRound()
    {
        if (++Context.Round == 0)
            Context.Round = 1;
        Context.RoundOpen = true;
        Context.RoundOpenedAt = Context.Now;
        _ipv4.OpenRound();
        _ipv6.OpenRound();
    }

    /// <summary>Rows of the round's dump.</summary>
    /// <param name="isWanted">The others are left out; null = all are wanted.</param>
    /// <returns>How many were wanted.</returns>
    public int Merge(FlowBatch batch, FlowPredicate? isWanted)
    {
        ReadOnlySpan<FlowEvent> rows = batch.Span;
        Span<ulong> hashes = stackalloc ulong[FlowBatch.Capacity];
        Prefetch(rows, hashes);
        int wanted = 0;
        for (int i = 0; i < rows.Length; i++)
        {
            if (isWanted is not null && !isWanted(rows[i].Flow))
                continue;
            wanted++;
            if (rows[i].Flow.Original.IsIPv6)
                _ipv6.Merge(rows[i], hashes[i]);
            else
                _ipv4.Merge(rows[i], hashes[i]);
        }

        return wanted;
    }

    public void CloseRound()
    {
        Context.RoundOpen = false;
        _ipv4.CloseRound();
        _ipv6.CloseRound();
    }

    /// <summary>Starts settling the round: one cursor a family.</summary>
    public RoundSettlement Settle(FlowOrigin origin, RoundResult result) =>
        new(new FamilySettlement<FlowKey4>(_ipv4, origin, result), new FamilySettlement<FlowKey6>(_ipv6, origin, result));

    /// <summary>
    /// A barrier has come back; events before it may still wait for an answer of the kernel (<see cref="HasDoubtsBeforeBarrier"/>).
    /// </summary>
    public void PassBarrier() => Context.Barriers++;

    /// <summary>Some event that came before the last barrier still waits for the kernel's answer.</summary>
    public bool HasDoubtsBeforeBarrier => _ipv4.HasDoubtsBeforeBarrier || _ipv6.HasDoubtsBeforeBarrier;

    /// <summary>Applies doubtful events that the kernel has answered for, and trims.</summary>
    public LoopWorkState Step() =>
        _ipv4.SettleDoubts() | _ipv6.SettleDoubts() || _ipv4.Trim() || _ipv6.Trim() ? LoopWorkState.Busy : LoopWorkState.Waiting;

    /// <summary>From now on <see cref="Step"/> gives the memory back that a peak has left behind.</summary>
    public void StartTrim()
    {
        _ipv4.StartTrim();
        _ipv6.StartTrim();
    }

    /// <summary>Settles all doubtful events as if the kernel had not answered.</summary>
    public void GiveUpDoubts()
    {
        _ipv4.GiveUpDoubts();
        _ipv6.GiveUpDoubts();
    }

    /// <summary>Reads one slot into a change; false when it holds no announced flow.</summary>
    public bool TryRead(FlowFamily family, int slot, ref FlowChange change, out FlowExtras? extras) => family == FlowFamily.IPv6
        ? _ipv6.TryRead(slot, ref change, out extras)
        : _ipv4.TryRead(slot, ref change, out extras);

    /// <summary>The slot in a range whose flow has this id, as the minter packs it; -1 when there is none.</summary>
    public int FindId(FlowFamily family, int from, int to, ulong packed) => family == FlowFamily.IPv6
        ? _ipv6.FindId(from, to, packed)
        : _ipv4.FindId(from, to, packed);

    /// <summary>Finds a flow by original or reply tuple.</summary>
    public bool TryFind(in FlowTuple tuple, ref FlowChange change, out FlowExtras? extras)
    {
        int slot = tuple.IsIPv6 ? _ipv6.Find(tuple) : _ipv4.Find(tuple);
        extras = null;
        return slot >= 0 && TryRead(tuple.Family, slot, ref change, out extras);
    }
}
