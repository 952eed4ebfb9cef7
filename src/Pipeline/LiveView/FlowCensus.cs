using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Loop;

namespace ConntrackStream.Pipeline.LiveView;

/// <summary>
/// Counts the view's flows by protocol and state, in steps on the loop. A walk costs an event nothing, and a million flows some ten
/// milliseconds in all; counting with each change would cost every event something, asked for or not.
/// </summary>
internal sealed class FlowCensus(FlowView view) : ILoopWork
{
    private const int SlotsAtOnce = 1024;

    private readonly TaskCompletionSource<FlowStateCounts> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly FlowStateCounts _counts = new();
    private FlowFamily _family = FlowFamily.IPv4;
    private int _slot;

    /// <summary>Each flow that lived from the first step to the last is counted once.</summary>
    public Task<FlowStateCounts> Result => _done.Task;

    public LoopWorkState Step()
    {
        int end = Math.Min(_slot + SlotsAtOnce, view.Slots(_family));
        view.CountStates(_family, _slot, end, _counts);
        _slot = Math.Max(_slot, end);
        if (_slot < view.Slots(_family))
            return LoopWorkState.Busy;
        if (_family == FlowFamily.IPv6)
        {
            _done.SetResult(_counts);
            return LoopWorkState.Done;
        }

        _family = FlowFamily.IPv6;
        _slot = 0;
        return LoopWorkState.Busy;
    }
}
