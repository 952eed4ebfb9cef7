using System.Threading.Channels;
using ConntrackStream.EventTap;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Loop;

namespace ConntrackStream.Pipeline;

/// <summary>A gap that a recording tells of, handed to the sinks once every message before it has been handled.</summary>
internal sealed class RecordedGap(FlowGap gap, ChannelReader<TapMessage> messages, ChangeWriter changes) : ILoopWork
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Done => _done.Task;

    public LoopWorkState Step()
    {
        if (messages.Count > 0)
            return LoopWorkState.Waiting; // each of them turns the loop again
        ref FlowChange change = ref changes.Add(FlowChangeKind.Gap, FlowOrigin.Event);
        change.Gap = gap;
        change.Time = gap.To;
        change.Start = gap.From;
        change.End = gap.To;
        _done.SetResult();
        return LoopWorkState.Done;
    }
}
