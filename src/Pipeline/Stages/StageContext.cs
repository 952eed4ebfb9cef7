using System.Reactive.Concurrency;
using ConntrackStream.Pipeline.Asking;
using ConntrackStream.Pipeline.LiveView;
using ConntrackStream.Pipeline.Loop;

namespace ConntrackStream.Pipeline.Stages;

/// <summary>What a stage gets of the pipeline around it. Used on the loop, unless a member says otherwise.</summary>
public sealed class StageContext
{
    private readonly FlowView _view;
    private readonly PipelineLoop _loop;
    private RowTally? _tally;

    internal StageContext(FlowView view, PipelineLoop loop, StagePorts ports)
    {
        (_view, _loop) = (view, loop);
        View = new LiveRows(view);
        FlushChanges = ports.FlushChanges;
        RequestAudit = ports.RequestAudit;
        FailedRounds = ports.FailedRounds;
        AuditInterval = ports.AuditInterval;
        HasFilter = ports.HasFilter;
        Time = ports.Time;
    }

    /// <summary>The rows of the live view.</summary>
    public LiveRows View { get; }

    /// <summary>Hands on the changes gathered so far, to the stages first.</summary>
    public Action FlushChanges { get; }

    /// <summary>Asks for a comparison of the view with the kernel before its time.</summary>
    public Action RequestAudit { get; }

    /// <summary>Comparisons given up because the dump failed, since the start.</summary>
    public Func<long> FailedRounds { get; }

    /// <summary>Between two regular comparisons.</summary>
    public TimeSpan AuditInterval { get; }

    /// <summary>The view holds only what a filter lets through.</summary>
    public bool HasFilter { get; }

    /// <summary>There is no kernel behind the view, but a recording: <see cref="Ask"/> cannot be used.</summary>
    public bool IsRecording => _view.Context.Ask is null;

    public TimeProvider Time { get; }

    /// <summary>Timers on the loop.</summary>
    public IScheduler Scheduler => _loop.Scheduler;

    /// <summary>
    /// Has a question answered by the kernel: the stage's <see cref="ILoopWork.Step"/> is called when
    /// <see cref="TableQuestion.IsAnswered"/>.
    /// </summary>
    /// <exception cref="InvalidOperationException">The view is that of a recording.</exception>
    public void Ask(TableQuestion question) =>
        (_view.Context.Ask ?? throw new InvalidOperationException("a recording has no kernel to ask"))(question);

    /// <summary>The byte that each row has for a stage to count with; one stage at most can have it.</summary>
    /// <exception cref="InvalidOperationException">Another stage has it.</exception>
    public RowTally ClaimTally() =>
        _tally is null ? _tally = new RowTally(_view) : throw new InvalidOperationException("another stage counts in the rows");

    /// <summary>Makes the loop turn. From any thread.</summary>
    public void Wake() => _loop.Wake();

    /// <summary>Runs a call on the loop. From any thread.</summary>
    public Task<T> InvokeAsync<T>(Func<T> call, CancellationToken cancellationToken) => _loop.InvokeAsync(call, cancellationToken);
}
