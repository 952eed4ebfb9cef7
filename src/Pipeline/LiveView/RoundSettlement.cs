using ConntrackStream.Pipeline.Asking;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Loop;
using ConntrackStream.Pipeline.Queues;

namespace ConntrackStream.Pipeline.LiveView;

/// <summary>
/// Work on a round's outcome, done in steps so that events are not held up: first all is settled but the ends, then, behind one more
/// barrier, those.
/// </summary>
internal sealed class RoundSettlement(FamilySettlement<FlowKey4> ipv4, FamilySettlement<FlowKey6> ipv6)
{
    /// <summary>One step, well under a millisecond, with some batches of changes at most.</summary>
    public LoopWorkState Step() => ipv4.Step() is var state && state != LoopWorkState.Done ? state : ipv6.Step();

    /// <summary>The kernel has denied rows, and <see cref="StartEnding"/> is due when a barrier asked for now has come back.</summary>
    public bool HasDenied => ipv4.HasDenied || ipv6.HasDenied;

    /// <summary>The steps from here on end the rows that the kernel has denied.</summary>
    public void StartEnding()
    {
        ipv4.StartEnding();
        ipv6.StartEnding();
    }
}

/// <summary>A cursor over one family's slots. Rows inserted meanwhile were touched by events and need no settling.</summary>
internal sealed class FamilySettlement<TKey>(FamilyView<TKey> view, FlowOrigin origin, RoundResult result)
    where TKey : unmanaged, IFlowKey<TKey>
{
    private const int SlotsAtOnce = FlowChangeBatch.Capacity; // so that a step fits where SinkQueue has said that there is room

    private readonly TableQuestion _question = new(byIdentity: true);
    private readonly int _end = view.Slots;
    private int _slot;
    private bool _isEnding;

    public bool HasDenied { get; private set; }

    public void StartEnding()
    {
        _isEnding = true;
        _slot = HasDenied ? 0 : _end;
    }

    public LoopWorkState Step()
    {
        if (_isEnding)
            return End();
        if (_question.IsAsked)
        {
            if (!_question.IsAnswered)
                return LoopWorkState.Waiting;
            HasDenied |= view.Sweep(_question);
            _question.Clear();
        }

        if (_slot == _end)
            return LoopWorkState.Done;
        _slot = view.Settle(_slot, Next, origin, result);
        return !view.AskAboutSuspects(_question) && _slot == _end ? LoopWorkState.Done : LoopWorkState.Busy;
    }

    private int Next => Math.Min(_slot + SlotsAtOnce, _end);

    private LoopWorkState End()
    {
        view.EndDenied(_slot, Next, origin, result);
        _slot = Next;
        return _slot == _end ? LoopWorkState.Done : LoopWorkState.Busy;
    }
}
