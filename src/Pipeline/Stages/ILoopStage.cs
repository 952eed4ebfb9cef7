using ConntrackStream.Pipeline.Audit;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Loop;

namespace ConntrackStream.Pipeline.Stages;

/// <summary>
/// A part of the pipeline's loop: it sees each batch of changes before any sink does, and each finished comparison with the kernel, and may
/// do long work in steps. A stage implements what it needs. The loop makes all calls, one at a time, but for disposal; none may block.
/// </summary>
public interface ILoopStage : ILoopWork, IAsyncDisposable
{
    /// <summary>Changes must reach the stage at once, even while a sink lags and would be better served by fuller batches.</summary>
    bool IsUrgent => false;

    /// <summary>Called once, before the loop runs.</summary>
    /// <param name="context">What the stage can use of the pipeline, for as long as it lives.</param>
    /// <exception cref="InvalidOperationException">The stage cannot work in this pipeline, for a filter or
    /// since it is a recording's.</exception>
    void Attach(StageContext context);

    /// <summary>Changes of the live view. The batch is only borrowed: copy what is kept.</summary>
    void OnChanges(FlowChangeBatch batch)
    {
    }

    /// <summary>A comparison of the view with the kernel is done.</summary>
    void OnRound(RoundReport round)
    {
    }

    /// <summary>Called once each audit interval, also while no comparison succeeds.</summary>
    void OnInterval()
    {
    }

    /// <summary>Another network namespace will be followed from now on: nothing that was learnt of the old one holds.</summary>
    /// <returns>Done when nothing is open in the old one. What may wait for that is done on another thread.</returns>
    Task LeaveNamespaceAsync() => Task.CompletedTask;

    /// <summary>The service ends: changes still come, but nothing new is begun.</summary>
    /// <returns>Done when what must not be left half done is settled. <see cref="ILoopWork.Step"/> is called until then.</returns>
    Task StopAsync() => Task.CompletedTask;

    LoopWorkState ILoopWork.Step() => LoopWorkState.Waiting;
}
