using System.Reactive.Concurrency;
using System.Reactive.Disposables;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Loop;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.MapCleaning.Delete;

/// <summary>
/// From a nominated key to a deleted entry: tombstone → grace → authorise → take → check again → armed. An end or a miss only nominates;
/// what deletes is a question to the kernel just before, and what undoes a wrong one is a second question, and any NEW while the
/// entry can still be put back. The kernel is asked on another thread, about a few keys at a time; the loop goes on meanwhile, so each
/// answer is used only for keys that are still as they were when it was asked for. Used by the loop only.
/// </summary>
internal sealed partial class DeleteStage(MapContext context, DeleteJournal journal, ILogger logger) : ILoopWork
{
    private const long OverdueSleep = 1_000_000_000;
    private const long SharedAuditDistance = 30_000_000_000;

    private readonly TombstoneTable _tombstones = new();
    private readonly Queue<Tombstone> _waiting = new(); // by the time of their nomination, and so of their turn
    private readonly Queue<Tombstone> _returned = new(); // had their turn, but events were lost before the kernel's answer
    private readonly Queue<Tombstone> _waitingShared = new(); // keys without ports: only an audit can tell
    private readonly Queue<Tombstone> _armed = new(); // by the time they were taken
    private readonly Queue<Tombstone> _doubtful = new(); // armed when a loss was noticed
    private readonly KeyQuestion<Tombstone> _authorise = new(context); // about the first ones that wait
    private readonly KeyQuestion<Tombstone> _again = new(context); // about those just taken
    private readonly KeyQuestion<Tombstone> _afterLoss = new(context); // about doubtful ones
    private readonly KeyQuestion<Tombstone> _disarm = new(context); // about armed ones whose window is over
    private TaskCompletionSource? _stopped; // null until the service ends
    private ushort _lossEpoch; // the last loss that was looked into
    private int _deletedInCycle;
    private bool _saidCap, _saidRefused;
    private long _wakeAt, _notBeforeSharedAudit; // CLOCK_MONOTONIC in ns

    private readonly long _grace = (long)context.Options.Grace.TotalNanoseconds;
    private readonly long _window = (long)context.Options.ArmedWindow.TotalNanoseconds;

    /// <summary>Keys nominated and not settled, those armed and observed included.</summary>
    public int Count => _tombstones.Count;

    /// <summary>Deleted entries that can still be put back.</summary>
    public int Armed { get; private set; }

    /// <summary>Only observed: they would have been deleted.</summary>
    public int Observed { get; private set; }

    /// <summary>No key of the map has ever matched a flow here, and something waits to be deleted.</summary>
    public bool IsRefused => !context.HasMatched && _tombstones.Count > Armed + Observed;

    /// <summary>
    /// CLOCK_MONOTONIC in ns since when the first tombstone could have been settled; null when none waits longer than its grace.
    /// </summary>
    public long? OldestDue => _waiting.TryPeek(out Tombstone? first) && context.Monotonic - first.NominatedMonotonic > _grace
        ? first.NominatedMonotonic + _grace
        : null;

    /// <summary>A few at most, in no particular order.</summary>
    public TombstoneList List(int limit) => new(_tombstones.Count, [.. _tombstones.All.Take(limit).Select(static t => t.ToView())]);

    public bool HasTombstone(in FlowTuple tuple) => _tombstones.Count > 0 && _tombstones.Of(tuple) is not null;

    /// <summary>Changes of the live view, at once.</summary>
    public void OnChanges(FlowChangeBatch batch)
    {
        foreach (ref readonly FlowChange change in batch.Span)
        {
            if (change.Kind == FlowChangeKind.Started)
                OnStarted(change.Flow);
            else if (change.Kind == FlowChangeKind.Ended && context.Map is { } map && change.Flow.Original.IsIPv6 == map.Info.IsIPv6)
                OnEnded(map, change);
        }
    }

    /// <summary>An audit of the map is done and counts.</summary>
    public void OnCycle()
    {
        _deletedInCycle = 0;
        _saidCap = false;
        foreach (Tombstone tombstone in _tombstones.All)
        {
            if (tombstone.State == TombstoneState.Observed && !context.Misses.Contains(tombstone.Key))
                Close(tombstone); // gone, or alive again
        }
    }

    /// <summary>The map was recreated, or is gone.</summary>
    public void Void()
    {
        if (Armed > 0)
            logger.ArmedLost(Armed);
        _tombstones.Clear();
        _waiting.Clear();
        _returned.Clear();
        _waitingShared.Clear();
        _armed.Clear();
        _doubtful.Clear();
        Armed = Observed = 0;
    }

    /// <summary>
    /// The service ends: nothing more is deleted, and what can still be put back is checked a last time, now
    /// instead of at the end of its window.
    /// </summary>
    /// <returns>Done when nothing is armed any more.</returns>
    public Task StopAsync()
    {
        _stopped ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Step();
        return _stopped.Task;
    }

    /// <summary>
    /// Another network namespace will be asked from now on: what was nominated is forgotten. What is armed is put back, since nothing can
    /// be asked of the old one any more.
    /// </summary>
    public void LeaveNamespace()
    {
        context.Stage.FlushChanges();
        while (_armed.TryDequeue(out Tombstone? tombstone))
        {
            if (tombstone.State == TombstoneState.Armed)
                Restore(tombstone, "another network namespace is followed before its window was over");
        }

        Void();
    }

    public LoopWorkState Step()
    {
        Prune(_waiting, TombstoneState.Waiting);
        if (_stopped is not null)
            return StepToEnd();
        if (context.Map is not { } map)
            return LoopWorkState.Waiting;
        if (_tombstones.Count == Observed && !(context.Holds.NextDue <= context.Monotonic))
        {
            if (context.Holds.NextDue is not null)
                ScheduleWake();
            return LoopWorkState.Waiting;
        }

        context.Stage.FlushChanges(); // what has started already is known before anything is decided
        if (TakeChecks() | TakeAuthorisation(map) | AskAfterLoss() | AskAtWindowsEnd() | AskToAuthorise(map) || TryNominateHeld(map))
            return LoopWorkState.Busy;
        ScheduleWake();
        return LoopWorkState.Waiting;
    }

    private LoopWorkState StepToEnd()
    {
        context.Stage.FlushChanges();
        bool hasActed = TakeChecks() | AskAtWindowsEnd();
        if (Armed == 0)
            _stopped!.TrySetResult();
        return hasActed ? LoopWorkState.Busy : LoopWorkState.Waiting;
    }

    /// <summary>
    /// Settles one of the keys that many flows share, whose flows cannot be asked for one by one. The view has just been proven by a dump.
    /// </summary>
    /// <returns>False when none is due.</returns>
    public bool StepShared(IFlowMap map)
    {
        context.Stage.FlushChanges();
        return _stopped is null && TrySettleShared(map);
    }

    /// <summary>Takes the first ones out of a queue as far as they have left its state.</summary>
    private static void Prune(Queue<Tombstone> queue, TombstoneState state)
    {
        while (queue.TryPeek(out Tombstone? first) && first.State != state)
            queue.Dequeue();
    }

    private void Close(Tombstone tombstone)
    {
        if (tombstone.State == TombstoneState.Armed)
            Armed--;
        else if (tombstone.State == TombstoneState.Observed)
            Observed--;
        tombstone.State = TombstoneState.Closed;
        _tombstones.Remove(tombstone);
    }

    /// <summary>
    /// Makes the loop look again when the next one is due; at what is overdue (held back by a loss, or a limit) each second.
    /// </summary>
    private void ScheduleWake()
    {
        long now = context.Monotonic, due = long.MaxValue;
        if (_waiting.TryPeek(out Tombstone? waiting))
            due = waiting.NominatedMonotonic + _grace;
        if (_waitingShared.TryPeek(out Tombstone? shared))
            due = Math.Min(due, shared.NominatedMonotonic + _grace);
        if (_armed.TryPeek(out Tombstone? armed))
            due = Math.Min(due, armed.TakenMonotonic + _window);
        if (context.Holds.NextDue is { } held)
            due = Math.Min(due, held);
        if (due == long.MaxValue)
            return;
        if (due <= now)
            due = now + OverdueSleep;
        if (_wakeAt > now && _wakeAt <= due)
            return;
        _wakeAt = due;
        context.Stage.Scheduler.Schedule(this, TimeSpan.FromTicks((due - now + 99) / 100), static (_, self) =>
        {
            self.AskForSharedAudit();
            return Disposable.Empty;
        });
    }

    /// <summary>Shared keys that two audits missed wait for one more, whose dump is fresh: it need not be the regular one.</summary>
    private void AskForSharedAudit()
    {
        Prune(_waitingShared, TombstoneState.Waiting);
        if (context.Monotonic < _notBeforeSharedAudit
            || !_waitingShared.Any(tombstone =>
                tombstone is { Reason: TombstoneReason.MissedTwice, State: TombstoneState.Waiting } && IsDue(tombstone)))
        {
            return;
        }

        _notBeforeSharedAudit = context.Monotonic + SharedAuditDistance;
        context.Stage.RequestAudit();
    }

    private bool IsDue(Tombstone tombstone) => context.Monotonic - tombstone.NominatedMonotonic >= _grace;

    private void OnFailure(FlowMapException e)
    {
        context.Counters.Failures++;
        if (_said != e.Message)
            logger.MapCallFailed(_said = e.Message);
    }

    private string? _said;
}
