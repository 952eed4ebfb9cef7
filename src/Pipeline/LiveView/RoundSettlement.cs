using ConntrackStream.Pipeline.Asking;

namespace ConntrackStream.Pipeline.LiveView;

/// <summary>Work on a round's outcome, done in steps so that events are not held up.</summary>
internal sealed class RoundSettlement(FamilySettlement<FlowKey4> ipv4, FamilySettlement<FlowKey6> ipv6)
{
    /// <summary>One step, well under a millisecond, with some batches of changes at most.</summary>
    public LoopWorkState Step() => ipv4.Step() is var state && state != LoopWorkState.Done ? state : ipv6.Step();
}

/// <summary>A cursor over one family's slots. Rows inserted meanwhile were touched by events and need no settling.</summary>
internal sealed class FamilySettlement<TKey>(FamilyView<TKey> view, FlowOrigin origin, RoundResult result)
    where TKey : struct, IFlowKey<TKey>
{
    private const int SlotsAtOnce = FlowChangeBatch.Capacity; // so that a step fits where SinkQueue has said that there is room

    private readonly TableQuestion _question = new(byIdentity: true);
    private readonly int _end = view.Slots;
    private int _slot;

    public LoopWorkState Step()
    {
        if (_question.IsAsked)
        {
            if (!_question.IsAnswered)
                return LoopWorkState.Waiting;
            view.Sweep(_question, origin, result);
            _question.Clear();
        }

        if (_slot == _end)
            return LoopWorkState.Done;
        _slot = view.Settle(_slot, Math.Min(_slot + SlotsAtOnce, _end), origin, result);
        return !view.AskAboutSuspects(_question) && _slot == _end ? LoopWorkState.Done : LoopWorkState.Busy;
    }
}
