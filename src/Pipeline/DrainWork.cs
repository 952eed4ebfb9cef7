using ConntrackStream.Pipeline.LiveView;
using ConntrackStream.Pipeline.Loop;

namespace ConntrackStream.Pipeline;

/// <summary>
/// The barrier that ends the service has come back: waits until the events before it that the kernel is being asked about are applied too.
/// </summary>
internal sealed class DrainWork(FlowView view, TaskCompletionSource drained) : ILoopWork
{
    public LoopWorkState Step()
    {
        if (view.HasDoubtsBeforeBarrier)
            return LoopWorkState.Waiting;
        drained.TrySetResult();
        return LoopWorkState.Done;
    }
}
