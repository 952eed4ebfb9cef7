using System.Threading.Channels;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Audit;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.LiveView;
using ConntrackStream.Pipeline.Queues;
using ConntrackStream.Pipeline.Stages;

namespace ConntrackStream.Pipeline;

// Start, stop, and what is asked from outside.
public sealed partial class FlowPipeline
{
    /// <summary>Done when the view has been proven equal to the kernel for the first time.</summary>
    public Task FirstSync => _firstSync.Task;

    /// <summary>
    /// Done when the first barrier has come back through the event socket, with the time (ns since the Unix epoch): from then on every
    /// event is seen.
    /// </summary>
    public Task<long> Opened => _opened.Task;

    /// <summary>
    /// What the sinks get, for as long as one is subscribed: each subscriber has a bounded queue and a thread of its own, so that it holds
    /// nobody up. A batch is only borrowed during OnNext; where the subscriber falls behind, changes are dropped and a gap says how many.
    /// Ends with the pipeline. One that throws is unsubscribed.
    /// </summary>
    public IObservable<FlowChangeBatch> Changes => _changeStream;

    /// <summary>Ends with the loop; faulted when the loop failed, which only a defect can bring about.</summary>
    public Task Completion => _run;

    public ViewCounters Counters => _view.Context.Counters;

    public PipelineStatus Status => new()
    {
        FlowsIPv4 = _view.CountIPv4,
        FlowsIPv6 = _view.CountIPv6,
        Untapped = _view.Untapped,
        Synced = _view.Context.Synced,
        Counters = Counters,
        Turns = _loop.Turns,
        Backlog = _source.Messages.Count,
        Changes = _writer.Written,
        Rounds = _reconciler?.Rounds ?? 0,
        FailedRounds = _reconciler?.FailedRounds ?? 0,
        ProbeAlarms = _probe.Alarms,
        LastRound = _reconciler?.Last,
        Gaps = _reconciler?.Gaps ?? new GapCounters(),
        Sinks = [.. _sinks.Select(s => new SinkStatus(s.Name, s.Waiting, s.Written, s.Dropped))],
    };

    /// <summary>Starts the sinks, then the loop. Throws what a sink throws that cannot work at all.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (SinkQueue sink in _sinks)
            await sink.StartAsync(cancellationToken).ConfigureAwait(false);
        _graph = Connect();
        _asker?.Start();
        _run = RunAsync();
    }

    /// <summary>
    /// Waits until every event that the kernel has queued by now is applied, for <paramref name="patience"/> at most: before the tap is
    /// stopped, so that nothing of what happened is left unread. Does nothing where no event socket is open.
    /// </summary>
    public async Task DrainAsync(TimeSpan patience)
    {
        if (!_source.RequestBarrier(DrainToken))
            return;
        await Task.WhenAny(_drained.Task, _run, Task.Delay(patience, _time, CancellationToken.None)).ConfigureAwait(false);
    }

    /// <summary>
    /// Call when the tap has stopped: handles what is queued, then drains the sinks. A sink for which the loop waits has
    /// <see cref="PipelineOptions.DrainPatience"/> for both.
    /// </summary>
    public async Task StopAsync()
    {
        if (Interlocked.Exchange(ref _stopped, 1) != 0)
            return;
        await using ITimer patience = _time.CreateTimer(
            static sinks => ((List<SinkQueue>)sinks!).ForEach(static sink => sink.StopBlocking()), _sinks, _options.DrainPatience,
            Timeout.InfiniteTimeSpan);
        if (_stages.Length > 0 && !_run.IsCompleted)
            await Task.WhenAny(_run, _loop.InvokeAsync(StopStagesAsync, CancellationToken.None).Unwrap()).ConfigureAwait(false);
        if (_reconciler is { } reconciler)
            await reconciler.StopAsync().ConfigureAwait(false);
        _source.Writer.TryComplete();
        await _run.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_asker is not null)
            await _asker.StopAsync().ConfigureAwait(false);
        _view.GiveUpDoubts();
        _reconciler?.WriteOpenGaps();
        _writer.Flush(); // what a lagging sink had kept waiting, too
        _graph.Dispose();
        IEnumerable<Task> ends = _sinks.Select(sink => sink.StopAsync(_options.DrainPatience));
        await Task.WhenAll(ends.Append(_changeStream.EndAsync(_options.DrainPatience))).ConfigureAwait(false);
    }

    /// <summary>No sink is waited for any longer: what it has not taken is dropped. From any thread.</summary>
    public void Hurry() => _sinks.ForEach(static sink => sink.Hurry());

    /// <summary>Asks for an audit now, as the timer would: for tests.</summary>
    internal Task RequestAuditAsync(CancellationToken cancellationToken) =>
        RunOnLoopAsync(() => _reconciler?.Request(RoundReason.Audit)).WaitAsync(cancellationToken);

    /// <summary>
    /// Streams all flows of the view that match, as Started changes; the batch is only borrowed by <paramref name="onRows"/>.
    /// </summary>
    public async Task<QuerySummary> QueryAsync(
        FlowPredicate? isWanted, Func<FlowChangeBatch, ValueTask> onRows, CancellationToken cancellationToken)
    {
        QuerySummary? whole = await WalkAsync(
            isWanted,
            FlowPosition.Start,
            0,
            FlowChangeBatch.Capacity,
            async page =>
            {
                await onRows(page.Batch).ConfigureAwait(false);
                return true;
            },
            cancellationToken).ConfigureAwait(false);
        return whole!;
    }

    /// <summary>The same from a position on, for as long as <paramref name="onRows"/> returns true.</summary>
    /// <param name="skip">Passes over so many flows that match.</param>
    /// <param name="rowsAtOnce">On a page, at most; no more than a batch holds.</param>
    /// <returns>Null when it was ended before the last flow.</returns>
    public async Task<QuerySummary?> WalkAsync(
        FlowPredicate? isWanted, FlowPosition from, int skip, int rowsAtOnce, Func<FlowPage, ValueTask<bool>> onRows,
        CancellationToken cancellationToken)
    {
        FlowQuery query = await _loop.InvokeAsync(
            () =>
            {
                FlowQuery query = new(_view, _pool, isWanted, from, skip, rowsAtOnce);
                _loop.Add(query);
                return query;
            },
            cancellationToken).ConfigureAwait(false);
        try
        {
            await foreach (FlowPage page in query.Rows.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                _loop.Wake();
                bool goesOn = await onRows(page).ConfigureAwait(false);
                page.Batch.Release();
                if (!goesOn)
                    return null;
            }
        }
        finally
        {
            query.Cancelled = true;
            _loop.Wake();
        }

        return query.Summary!;
    }

    /// <summary>
    /// Counts the view's flows by protocol and state, in slices beside the events. What changes in a flow's life is as of the last dump or
    /// UPDATE that showed it.
    /// </summary>
    public async Task<FlowStateCounts> CountStatesAsync(CancellationToken cancellationToken)
    {
        FlowCensus census = await _loop.InvokeAsync(
            () =>
            {
                FlowCensus census = new(_view);
                _loop.Add(census);
                return census;
            },
            cancellationToken).ConfigureAwait(false);
        return await census.Result.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The flow with this original or reply tuple; null when the view has none. Extras are left out.</summary>
    public Task<FlowChange?> FindAsync(FlowTuple tuple, CancellationToken cancellationToken) => _loop.InvokeAsync<FlowChange?>(
        () =>
        {
            FlowChange change = default;
            return _view.TryFind(tuple, ref change, out _) ? change : null;
        },
        cancellationToken);

    /// <summary>The flow with this id; null when the view has none. Extras are left out.</summary>
    public async Task<FlowChange?> FindAsync(FlowId id, CancellationToken cancellationToken)
    {
        FlowIdSearch search = await _loop.InvokeAsync(
            () =>
            {
                FlowIdSearch search = new(_view, id);
                _loop.Add(search);
                return search;
            },
            cancellationToken).ConfigureAwait(false);
        return await search.Result.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// To be called when the tap is suspended and before another network namespace is followed: closes what is open in the old one, and
    /// lets the stages forget what they learnt of it.
    /// </summary>
    public async Task LeaveNamespaceAsync()
    {
        await Task.WhenAny(_run, _loop.InvokeAsync(LeaveInStagesAsync, CancellationToken.None).Unwrap()).ConfigureAwait(false);
        _source.Kernel?.LeaveNamespace();
    }

    /// <summary>
    /// A setting of the kernel that the stream relies on was found off; what follows is written as one gap, once it is on again.
    /// </summary>
    /// <param name="reason">Which.</param>
    /// <param name="from">When it was last seen on, ns since the Unix epoch.</param>
    public Task SettingOffAsync(FlowGapReason reason, long from) => OnReconcilerAsync(reconciler => reconciler.OnOff(reason, from));

    /// <summary>
    /// It is on again. Where it had kept events back, the view is compared with the kernel first. Nothing if it was not off.
    /// </summary>
    public Task SettingOnAsync(FlowGapReason reason) => OnReconcilerAsync(reconciler => reconciler.OnOn(reason));

    /// <summary>The wall clock was set: a gap of these times says so, for they have passed twice, or not at all.</summary>
    /// <param name="from">ns since the Unix epoch.</param>
    /// <param name="to">Likewise.</param>
    public Task ClockSetAsync(long from, long to) =>
        OnReconcilerAsync(reconciler => reconciler.WriteNote(FlowGapReason.ClockSet, from, to));

    /// <summary>Hands to the sinks that the kernel has refused connections.</summary>
    public async Task ReportRefusedAsync(RefusedFlows refused)
    {
        if (!_run.IsCompleted)
            await Task.WhenAny(_run, RunOnLoopAsync(() => Add(refused))).ConfigureAwait(false);
    }

    private void Add(RefusedFlows refused)
    {
        // an audit's, since it is no event: older ones may still wait to be read
        ref FlowChange change = ref _writer.Add(FlowChangeKind.Refused, FlowOrigin.Audit);
        change.Refused = refused;
        change.Time = refused.To;
        change.Start = refused.From;
        change.End = refused.To;
    }

    private async Task OnReconcilerAsync(Action<Audit.Reconciler> call)
    {
        if (_reconciler is { } reconciler && !_run.IsCompleted)
            await Task.WhenAny(_run, RunOnLoopAsync(() => call(reconciler))).ConfigureAwait(false);
    }

    /// <summary>Runs a call on the loop.</summary>
    internal Task RunOnLoopAsync(Action call) => _loop.InvokeAsync(
        () =>
        {
            call();
            return true;
        },
        CancellationToken.None);

    private void OnDrained()
    {
        _view.PassBarrier();
        _loop.Add(new DrainWork(_view, _drained));
    }

    private const long DrainToken = long.MaxValue; // the reconciler counts up from 1

    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _stopped;

    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        foreach (ILoopStage stage in _stages)
            await stage.DisposeAsync().ConfigureAwait(false);
        if (_asker is not null)
            await _asker.DisposeAsync().ConfigureAwait(false);
        _reconciler?.Dispose();
        _loop.Dispose();
        _messages.Dispose();
        _changes.Dispose();
        _rounds.Dispose();
    }

    private Task StopStagesAsync() => Task.WhenAll(_stages.Select(static stage => stage.StopAsync()));

    private Task LeaveInStagesAsync() => Task.WhenAll(_stages.Select(static stage => stage.LeaveNamespaceAsync()));

    private async Task RunAsync()
    {
        try
        {
            await _loop.RunAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            _logger.LoopFailed(e);
            _source.Writer.TryComplete(e);
            throw;
        }
    }
}
