using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Pipeline.LiveView;

/// <summary>Asks the kernel which of some entries (original tuple and id) exist now.</summary>
internal delegate void AliveCheck(ReadOnlySpan<FlowTuple> originals, ReadOnlySpan<uint> ids, Span<bool> alive);

/// <summary>Work on a round's outcome, done in steps so that events are not held up.</summary>
internal sealed class RoundSettlement(FamilySettlement<FlowKey4> ipv4, FamilySettlement<FlowKey6> ipv6)
{
    /// <summary>One step, well under a millisecond, with some batches of changes at most; true when all is settled.</summary>
    public bool Step() => ipv4.Step() && ipv6.Step();
}

/// <summary>A cursor over one family's slots. Rows inserted meanwhile were touched by events and need no settling.</summary>
internal sealed class FamilySettlement<TKey>(FamilyView<TKey> view, FlowOrigin origin, RoundResult result, AliveCheck check)
    where TKey : struct, IFlowKey<TKey>
{
    private const int SlotsAtOnce = FlowChangeBatch.Capacity; // so that a step fits where SinkQueue has said that there is room

    private readonly FlowTuple[] _tuples = new FlowTuple[FamilyView<TKey>.SuspectsAtOnce];
    private readonly uint[] _ids = new uint[FamilyView<TKey>.SuspectsAtOnce];
    private readonly bool[] _alive = new bool[FamilyView<TKey>.SuspectsAtOnce];
    private readonly int _end = view.Slots;
    private int _slot;

    public bool Step()
    {
        if (_slot == _end)
            return true;
        _slot = view.Settle(_slot, Math.Min(_slot + SlotsAtOnce, _end), origin, result);
        ReadOnlySpan<int> suspects = view.Suspects;
        if (suspects.Length > 0)
            AskKernel(suspects);
        return _slot == _end;
    }

    private void AskKernel(ReadOnlySpan<int> suspects)
    {
        for (int i = 0; i < suspects.Length; i++)
        {
            _tuples[i] = view.OriginalOf(suspects[i]);
            _ids[i] = view.ConntrackIdOf(suspects[i]);
        }

        check(_tuples.AsSpan(0, suspects.Length), _ids.AsSpan(0, suspects.Length), _alive.AsSpan(0, suspects.Length));
        view.Sweep(_alive.AsSpan(0, suspects.Length), origin, result);
    }
}
