using System.Threading.Channels;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Audit;
using ConntrackStream.Pipeline.Loop;
using ConntrackStream.Sinks.MapCleaning.Absence;
using ConntrackStream.Sinks.MapCleaning.Delete;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.MapCleaning.Audit;

/// <summary>
/// After an audit of the view, the eBPF map is joined with it in a stream: a thread scans the map, the loop looks each key up in the view.
/// Neither is copied; only keys without a flow are remembered. Two misses in a row nominate. Used by the loop only.
/// </summary>
internal sealed partial class MapAudit(MapContext context, DeleteStage stage, ILogger logger) : ILoopWork, IDisposable
{
    private const int SlotsAtOnce = 4096;
    private const int EntriesAtOnce = 64;

    private readonly CancellationTokenSource _stop = new();
    private readonly MapEntryPool _pool = new();
    private List<TaskCompletionSource<MapReport>> _waiters = [];
    private List<TaskCompletionSource<MapReport>> _answered = []; // who waits for the audit under way
    private Phase _phase;
    private FlowFamily _family;
    private int _slot, _entry;
    private Channel<MapEntryBatch> _batches = Channel.CreateBounded<MapEntryBatch>(1);
    private MapEntryBatch? _batch;
    private MissLedger.Settlement? _settlement;
    private Task _scan = Task.CompletedTask;
    private FlowMapScan _scanned; // good once the channel is complete, as the next
    private KernelTimeouts _timeouts = new();
    private MapMemory? _earlier = context.Options.Earlier;
    private ushort _epoch;
    private bool _tallied = true; // the last scan counted, and so do the rows' tallies
    private long _began, _startedBefore, _failedRounds, _matched, _missed, _young;
    private int _held, _kept; // keys that the last audit, the audit under way kept: their connection may still be alive

    private enum Phase : byte
    {
        Idle,
        Opening, // over the view's rows: zones, shared tuples
        Sharing, // shared keys whose turn it is
        Joining,
        Settling, // over the keys without a flow
        Sweeping, // over the view's rows: who lost keys
    }

    /// <summary>The last one, whether it counted or not; null before the first.</summary>
    public MapReport? Last { get; private set; }

    /// <summary>Keys without a flow that the last one kept, since their connection may still be alive.</summary>
    public int Held => _held;

    /// <summary>CLOCK_MONOTONIC in ns of the end of the last one that counted, or of the start.</summary>
    public long LastCounted { get; private set; } = context.Monotonic;

    /// <summary>Completed with the next audit of the map that begins from now on, whether it counts or not.</summary>
    public Task<MapReport> Next()
    {
        TaskCompletionSource<MapReport> waiter = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiters.Add(waiter);
        return waiter.Task;
    }

    /// <summary>A round of the view is done.</summary>
    public void OnRound(RoundReport round)
    {
        if (_phase != Phase.Idle || !context.View.IsSynced)
            return; // who waits has another round asked for at the end of this one
        bool isRegular = round.Reason is RoundReason.Audit or RoundReason.Start;
        if (!isRegular && _waiters.Count == 0 && context.Monotonic - LastCounted < context.Stage.AuditInterval.Ticks * 100)
            return;
        (_answered, _waiters) = (_waiters, _answered);
        if (Fault(round) is { } fault)
        {
            GiveUp(fault);
            return;
        }

        if (TryUseMap(out string? problem))
            Open();
        else
            Answer(new MapReport(context.Now, TimeSpan.Zero, 0, 0, 0, 0, 0, problem));
    }

    public LoopWorkState Step()
    {
        switch (_phase)
        {
            case Phase.Opening:
                StepRows(OpenRows, Phase.Sharing);
                return LoopWorkState.Busy;
            case Phase.Sharing:
                if (!stage.StepShared(context.Map!))
                    _phase = Phase.Joining;
                return LoopWorkState.Busy;
            case Phase.Joining:
                return Join();
            case Phase.Settling:
                Settle();
                return LoopWorkState.Busy;
            case Phase.Sweeping:
                return Sweep();
            default:
                return LoopWorkState.Waiting;
        }
    }

    /// <summary>Ends a scan under way and waits for its thread.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _scan.ConfigureAwait(false);
        foreach (TaskCompletionSource<MapReport> waiter in _answered.Concat(_waiters))
            waiter.TrySetCanceled();
    }

    public void Dispose()
    {
        _stop.Dispose();
        _pool.Dispose();
        context.Map?.Dispose();
    }

    private void Open()
    {
        context.Scan++;
        _began = context.Monotonic;
        _startedBefore = context.Started;
        _epoch = context.View.LossEpoch;
        _matched = _missed = _young = 0;
        OpenHistory();
        context.OpenLive();
        (_family, _slot) = (FlowFamily.IPv4, 0);
        _phase = Phase.Opening;
        _batches = Channel.CreateBounded<MapEntryBatch>(
            new BoundedChannelOptions(MapEntryPool.Batches) { SingleReader = true, SingleWriter = true });
        (IFlowMap map, ChannelWriter<MapEntryBatch> output) = (context.Map!, _batches.Writer);
        _scan = OwnThread.Run("map-scan", () => Scan(map, output));
    }

    /// <summary>On the scan's own thread. The pool's few batches hold it back. The channel's end is the last thing it tells.</summary>
    private void Scan(IFlowMap map, ChannelWriter<MapEntryBatch> output)
    {
        Exception? failure = null;
        try
        {
            _timeouts = context.Kernel.Timeouts() ?? _timeouts;
            context.Interfaces.Open();
            _scanned = map.Scan(
                _pool,
                batch =>
                {
                    context.Interfaces.Learn(batch.Span);
                    output.TryWrite(batch); // there are no more batches than it has room for
                    context.Stage.Wake();
                },
                _stop.Token);
        }
        catch (Exception e) when (e is FlowMapException or OperationCanceledException)
        {
            failure = e;
        }

        output.Complete(failure);
        context.Stage.Wake();
    }

    private void StepRows(Action<int, int> step, Phase next)
    {
        int end = context.View.Slots(_family);
        if (_slot < end)
        {
            int to = Math.Min(_slot + SlotsAtOnce, end);
            step(_slot, to);
            _slot = to;
        }
        else if (_family == FlowFamily.IPv4)
        {
            (_family, _slot) = (FlowFamily.IPv6, 0);
        }
        else
        {
            if (_phase == Phase.Opening)
                context.CommitLive();
            _phase = next;
        }
    }

    private void OpenRows(int from, int to) => context.Tally.Open(_family, from, to, _tallied, context.NextLive!);

    private LoopWorkState Join()
    {
        if (_batch is null)
        {
            if (_batches.Reader.TryRead(out _batch))
                _entry = 0;
            else if (_batches.Reader.Completion.IsCompleted)
                EndJoin();
            else
                return LoopWorkState.Waiting;
            return LoopWorkState.Busy;
        }

        int count = Math.Min(EntriesAtOnce, _batch.Count - _entry);
        Join(_batch.Span.Slice(_entry, count));
        _entry += count;
        if (_entry == _batch.Count)
        {
            _pool.Return(_batch);
            _batch = null;
        }

        return LoopWorkState.Busy;
    }

    private void EndJoin()
    {
        if (_batches.Reader.Completion.Exception is { } failed)
            GiveUp($"the scan of the map failed: {failed.GetBaseException().Message}");
        else if (!context.View.IsSynced || context.View.LossEpoch != _epoch)
            Discard("events were lost meanwhile");
        else if (!TryUseMap(out string? problem, out bool isAnother) || isAnother)
            Discard(problem ?? "the map was recreated meanwhile");
        else
            StartSettling();
    }

    private void StartSettling()
    {
        context.Owners.Commit();
        int before = context.Groups.Exempt.Count;
        context.Groups.Commit();
        if (context.Groups.Exempt.Count > before)
            logger.UntrackedGroups(context.Groups.Exempt.Count, DescribeGroups());
        CommitHistory();
        _settlement = context.Misses.Commit(context.Scan);
        _kept = 0;
        _phase = Phase.Settling;
    }

    private void Settle()
    {
        int budget = 1024;
        long grace = context.Options.Grace.Ticks * 100, now = context.Now;
        while (_settlement!.TryNext(ref budget, out MapKey key, out MissLedger.Miss miss))
        {
            if (now - miss.First < grace)
                continue;
            long until = context.HeldUntil(key, miss.IsUnknown ? miss.FirstMonotonic : null, (ulong)miss.LastSeen);
            if (until <= context.Monotonic)
                stage.NominateMissed(context.Map!, key, miss);
            else
                Hold(key, miss, until);
        }

        if (!_settlement.IsDone)
            return;
        _settlement = null;
        _held = _kept;
        stage.OnCycle();
        _tallied = true;
        (_family, _slot) = (FlowFamily.IPv4, 0);
        _lost = 0;
        _phase = Phase.Sweeping;
    }

    private void Finish()
    {
        context.Counters.Audits++;
        LastCounted = context.Monotonic;
        context.Options.OnLearnt?.Invoke(new MapMemory(context.Map!.Info.Id, context.Groups.ToMemory()));
        TellLost(_scanned);
        _fill.Remember(_scanned.Entries + _scanned.Junk, _startedBefore, _epoch);
        Answer(new MapReport(
            context.Now - (context.Monotonic - _began),
            Since(_began),
            _scanned.Entries,
            _matched,
            _missed,
            _young,
            _scanned.Junk,
            Problem: null));
        TellShare();
    }

    /// <summary>The scan does not count: what was known before it stays.</summary>
    private void Discard(string reason)
    {
        context.Counters.AuditsDiscarded++;
        logger.MapAuditDiscarded(reason);
        context.Misses.Discard(context.Scan);
        EndWithoutResult(reason);
    }

    /// <summary>Nothing that was counted can be relied on.</summary>
    private void GiveUp(string reason)
    {
        context.Counters.AuditsDiscarded++;
        logger.MissesVoided(reason);
        context.Void();
        _hasHistory = false;
        EndWithoutResult(reason);
    }

    private void EndWithoutResult(string reason)
    {
        if (_phase == Phase.Idle)
            _began = context.Monotonic;
        context.Groups.Discard();
        context.Owners.Discard();
        _tallied = false;
        DiscardHistory();
        _phase = Phase.Idle;
        Answer(new MapReport(context.Now - (context.Monotonic - _began), Since(_began), 0, _matched, _missed, _young, 0, reason));
    }

    private void Answer(MapReport report)
    {
        Last = report;
        logger.MapAuditDone(
            report.Entries, report.Matched, report.Missed, report.Young, report.Junk, stage.Count, report.Duration.TotalMilliseconds);
        foreach (TaskCompletionSource<MapReport> waiter in _answered)
            waiter.TrySetResult(report);
        _answered.Clear();
        if (_waiters.Count > 0)
            context.Stage.RequestAudit();
    }

    private TimeSpan Since(long monotonic) => TimeSpan.FromTicks((context.Monotonic - monotonic) / 100);
}
