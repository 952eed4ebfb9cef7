using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Loop;

namespace ConntrackStream.Pipeline.LiveView;

/// <summary>
/// Looks for a flow by its id, in steps on the loop. There is no index of ids: it would cost every flow memory, asked for or not, and a
/// walk that compares eight bytes a row is soon over.
/// </summary>
internal sealed class FlowIdSearch(FlowView view, FlowId id) : ILoopWork
{
    private const int SlotsAtOnce = 4096;

    private readonly TaskCompletionSource<FlowChange?> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private FlowFamily _family = FlowFamily.IPv4;
    private int _slot;

    /// <summary>Null when there is no such flow.</summary>
    public Task<FlowChange?> Result => _done.Task;

    public LoopWorkState Step()
    {
        if (!view.Context.Ids.TryFindPacked(id, out ulong packed))
            return Finish(null);
        int end = Math.Min(_slot + SlotsAtOnce, view.Slots(_family));
        int found = view.FindId(_family, _slot, end, packed);
        FlowChange change = default;
        if (found >= 0 && view.TryRead(_family, found, ref change, out _))
            return Finish(change);
        _slot = Math.Max(_slot, end);
        if (_slot < view.Slots(_family))
            return LoopWorkState.Busy;
        if (_family == FlowFamily.IPv6)
            return Finish(null);
        _family = FlowFamily.IPv6;
        _slot = 0;
        return LoopWorkState.Busy;
    }

    private LoopWorkState Finish(FlowChange? found)
    {
        _done.SetResult(found);
        return LoopWorkState.Done;
    }
}
