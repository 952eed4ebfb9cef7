using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Reclassify.Act;
using ConntrackStream.Sinks.Reclassify.Chain;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Decide;
using ConntrackStream.Sinks.Reclassify.Paths;
using ConntrackStream.Sinks.Reclassify.Reset;

namespace ConntrackStream.Sinks.Reclassify;

/// <summary>
/// Looks at flows, and moves those that are on the wrong path: classifier → path → proof → action → outcome. Driven from outside, by
/// changes of the view, by answers and by time (<see cref="Advance"/>); one call at a time, none of them waits.
/// </summary>
internal sealed partial class Reclassifier : IResetOutcomes
{
    private const long PendingTime = 100; // ms between two looks at a flow whose answer pends

    // longer than the external program's longest deadline, 1 min: an answer that has not come by then never comes
    private const int MostWaits = 700;

    private const int ProofsPerAction = 20; // allowed: most misplaced flows may be refused

    private const int MostRechecks = 262_144, MostAnswers = 65_536, MostGuarded = 65_536;

    private readonly ReclassifyOptions _options;
    private readonly ReclassifyLevers _levers;
    private readonly PathTable _paths;
    private readonly ClassifierChain _classifiers;
    private readonly ReclassifyKernel _kernel;
    private readonly CausedEnds _ends;
    private readonly TimeProvider _time;
    private readonly DecisionLog _log;
    private readonly long[] _rechecks; // ms after the start
    private readonly long _verdictTime; // ms
    private readonly MoveDecision _decision;
    private readonly ResetBook _resets;
    private readonly VerdictCache _answers = new(MostAnswers);
    private readonly RecheckWheel _wheel = new(MostRechecks);
    private readonly FlapGuard _guard;
    private readonly PathGuard _pathGuard;
    private readonly TokenBucket _actions, _proofs; // a proof takes some ten questions to the kernel, a fifth of a millisecond in all
    private readonly ActionLedger _ledger;
    private readonly AnswerWatch _arrivals;
    private readonly List<Recheck> _due = [];
    private readonly long _began;
    private readonly Func<PendingReset, ResetState> _see;
    private bool _isHalted;

    internal Reclassifier(
        ReclassifyOptions options,
        PathTable paths,
        ClassifierChain classifiers,
        ReclassifyKernel kernel,
        CausedEnds ends,
        TimeProvider time,
        ILogger logger,
        ReclassifyLevers levers)
    {
        _options = options;
        _levers = levers;
        _paths = paths;
        _classifiers = classifiers;
        _kernel = kernel;
        _ends = ends;
        _time = time;
        _log = new DecisionLog(logger);
        _rechecks = [.. options.Rechecks.Select(static recheck => (long)recheck.TotalMilliseconds)];
        _verdictTime = (long)options.VerdictTime.TotalMilliseconds;
        _decision = new MoveDecision(paths, classifiers, kernel, time);
        _resets = new ResetBook((long)options.ResetWithin.TotalMilliseconds, this);
        FlapGuardOptions guard = options.FlapGuard;
        _guard = new FlapGuard(guard.Budget, guard.Window, guard.FirstPause, guard.LongestPause, MostGuarded);
        _pathGuard = new PathGuard(guard.FirstPause, guard.LongestPause);
        _actions = new TokenBucket(options.ActionsPerSecond, 2.0 * options.ActionsPerSecond);
        _proofs = new TokenBucket(ProofsPerAction * options.ActionsPerSecond, 2.0 * ProofsPerAction * options.ActionsPerSecond);
        _ledger = new ActionLedger((long)options.Patience.TotalMilliseconds, OnOutcome, OnArrived);
        _arrivals = new AnswerWatch((long)options.Patience.TotalMilliseconds, kernel.Read, OnOutcome, Release);
        _see = See;
        _began = time.GetTimestamp();
    }

    internal ReclassifyCounters Counters { get; } = new();

    internal ReclassifyStatus Status => new(
        _options.Mode,
        Counters,
        _wheel.Count,
        _wheel.Refused,
        _ledger.Count + _arrivals.Count,
        _resets.Waiting,
        _pathGuard.Awaited,
        _guard.Count,
        _classifiers.Statuses,
        _classifiers.External);

    /// <summary>ms since the start.</summary>
    internal long Now => (long)_time.GetElapsedTime(_began).TotalMilliseconds;

    /// <summary>When <see cref="Advance"/> has something to do; null while nothing waits.</summary>
    internal long? NextDue
    {
        get
        {
            long wheel = _wheel.Count > 0 ? ((Now / RecheckWheel.Tick) + 1) * RecheckWheel.Tick : long.MaxValue;
            long due = Math.Min(
                Math.Min(wheel, _ledger.NextDue ?? long.MaxValue),
                Math.Min(_resets.NextDue ?? long.MaxValue, _arrivals.NextDue ?? long.MaxValue));
            return due == long.MaxValue ? null : due;
        }
    }

    /// <summary>There is something for <see cref="TakeResets"/>.</summary>
    internal bool HasResets => _resets.HasWork;

    /// <summary>Nothing is acted on from now on, for good; what is being done ends where it is.</summary>
    internal void Halt() => _isHalted = true;

    /// <summary>
    /// What is to be done in the kernel's sets, outside of all locks; null when there is nothing.
    /// <see cref="OnResets"/> is called with it afterwards.
    /// </summary>
    internal ResetWork? TakeResets() => _isHalted ? null : _resets.Take(Now);

    internal void OnResets(ResetWork work)
    {
        if (_isHalted)
            return;
        if (work.ChangeFailure is { } change)
            _log.ResetsFailed(change.Message, Now);
        if (work.LookFailure is { } look)
            _log.ResetsFailed(look.Message, Now);
        _resets.OnDone(work, Now);
    }

    internal void OnChanges(FlowChangeBatch batch)
    {
        if (_isHalted)
            return;
        long now = Now;
        foreach (ref readonly FlowChange change in batch.Span)
        {
            switch (change.Kind)
            {
                case FlowChangeKind.Started:
                    OnStarted(change, now);
                    break;
                case FlowChangeKind.Updated:
                    _resets.OnChanged(change.Flow, hasEnded: false, now);
                    break;
                case FlowChangeKind.Ended:
                    _ledger.OnEnded(change.Flow);
                    _arrivals.OnEnded(change.Flow, now);
                    _ = _paths.Of(change.Flow); // it tells whether its source was answered there
                    _resets.OnChanged(change.Flow, hasEnded: true, now);
                    break;
                case FlowChangeKind.Gap when change.Gap is not { HidesFlows: false }:
                    _ledger.OnLoss();
                    break;
            }
        }
    }

    /// <summary>A flow of the view whose answer may be another now.</summary>
    internal void LookAgain(in Flow flow)
    {
        if (!_isHalted && _paths.Of(flow).Path is { } path)
            Look(new Recheck { Original = flow.Original, Id = flow.Id, Mark = flow.Mark, PathNow = path, Look = byte.MaxValue }, Now);
    }

    /// <summary>Answers about these addresses no longer count.</summary>
    internal void Forget(AddressRanges ranges) => _answers.Forget(ranges);

    /// <summary>
    /// The answer to a question that was pending, or that it pends still; the flows that wait for it find it at their next look.
    /// </summary>
    internal void OnAnswer(in FlowQuestion question, in Verdict verdict)
    {
        if (verdict.Kind == VerdictKind.Pending)
            return;
        long now = Now;
        long time = verdict.ValidFor is { } valid ? (long)valid.TotalMilliseconds : TimeOf(verdict.Kind);
        _answers.Set(question.Reduce(_classifiers.Fields), verdict, now, now + Math.Max(time, 10 * PendingTime));
    }

    /// <summary>Does what is due by now.</summary>
    internal void Advance()
    {
        if (_isHalted)
            return;
        long now = Now;
        _ledger.Advance(now);
        _arrivals.Advance(now);
        _due.Clear(); // of a look that failed
        _wheel.Take(now, _due);
        foreach (ref readonly Recheck recheck in System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_due))
            Look(recheck, now);
    }

    private void OnStarted(in FlowChange change, long now)
    {
        ref readonly Flow flow = ref change.Flow;
        if (change.Origin == FlowOrigin.Dump)
            _dumped = now;
        UplinkPath? path = _paths.Of(flow).Path;
        long start = change.Start != 0 ? change.Start : change.Time;
        _resets.OnStarted(flow, start, _see, now);
        _ledger.OnStarted(flow, start, path?.Name, now);
        if (path is not null)
            Look(new Recheck { Original = flow.Original, Id = flow.Id, Mark = flow.Mark, PathNow = path }, now);
    }

    private void Look(in Recheck recheck, long now)
    {
        Counters.Looks++;
        FlowQuestion question = new(recheck.Original, recheck.Mark, recheck.PathNow.Name);
        Verdict verdict = Ask(question, now);
        if (verdict.Kind == VerdictKind.Path && verdict.Path != recheck.PathNow.Name)
            OnMisplaced(recheck, question, verdict, now);
        else if (verdict.Kind == VerdictKind.Pending)
            Wait(recheck, now);
        else if (verdict.Kind == VerdictKind.None
            || verdict is { Kind: VerdictKind.Keep, ValidFor: not null }) // the latter: kept for a time, for want of an answer
            LookLater(recheck, now);
    }

    private void Wait(in Recheck recheck, long now)
    {
        Recheck next = recheck;
        if (next.Waited++ < MostWaits)
            _wheel.TryAdd(next, now + PendingTime);
    }

    private Verdict Ask(in FlowQuestion question, long now)
    {
        FlowQuestion reduced = question.Reduce(_classifiers.Fields);
        if (_answers.TryGet(reduced, now, out Verdict verdict))
            return verdict;
        Counters.Questions++;
        verdict = _classifiers.Classify(question);
        if (verdict.Kind != VerdictKind.Pending)
            Remember(reduced, verdict, now);
        return verdict;
    }

    private void Remember(in FlowQuestion reduced, in Verdict verdict, long now)
    {
        long time = TimeOf(verdict.Kind);
        if (verdict.ValidFor is { } valid)
            time = Math.Min(verdict.Kind == VerdictKind.Path ? time : long.MaxValue, (long)valid.TotalMilliseconds);
        if (time > 0)
            _answers.Set(reduced, verdict, now, now + time);
    }

    /// <summary>
    /// How long an answer stands that does not say so itself. After no opinion the next look is to see what has come meanwhile.
    /// </summary>
    private long TimeOf(VerdictKind kind) =>
        kind == VerdictKind.None && _rechecks.Length > 0 ? Math.Min(_verdictTime, _rechecks[0] / 2) : _verdictTime;

    /// <summary>The next of the configured looks, if there is one.</summary>
    private void LookLater(in Recheck recheck, long now)
    {
        if (recheck.Look >= _rechecks.Length)
            return;
        long before = recheck.Look == 0 ? 0 : _rechecks[recheck.Look - 1];
        Recheck next = recheck;
        next.Look++;
        _wheel.TryAdd(next, now + _rechecks[recheck.Look] - before);
    }
}
