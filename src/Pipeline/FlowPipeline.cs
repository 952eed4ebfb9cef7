using System.Reactive.Concurrency;
using System.Reactive.Disposables;
using System.Reactive.Linq;
using System.Reactive.Subjects;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Asking;
using ConntrackStream.Pipeline.Audit;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.LiveView;
using ConntrackStream.Pipeline.Loop;
using ConntrackStream.Pipeline.Queues;
using ConntrackStream.Pipeline.Stages;

namespace ConntrackStream.Pipeline;

/// <summary>
/// From the tap's channel to the sinks: the whole Rx graph is <see cref="Connect"/>. All of it runs on one loop, synchronously; threads
/// change only at the channel before it and at the sink queues behind it.
/// </summary>
public sealed partial class FlowPipeline : IAsyncDisposable
{
    private static readonly TimeSpan TrimInterval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LagPatience = TimeSpan.FromMilliseconds(50);

    private readonly PipelineOptions _options;
    private readonly PipelineSource _source;
    private readonly ILogger _logger;
    private readonly FlowChangeBatchPool _pool = new();
    private readonly Subject<TapMessage> _messages = new();
    private readonly Subject<FlowChangeBatch> _changes = new();
    private readonly Subject<RoundReport> _rounds = new();
    private readonly ChangeWriter _writer;
    private readonly FlowView _view;
    private readonly Reconciler? _reconciler;
    private readonly CountProbe _probe = new();
    private readonly PipelineLoop _loop;
    private readonly KernelAsker? _asker;
    private readonly ILoopStage[] _stages;
    private readonly List<SinkQueue> _sinks;
    private readonly ChangeStream _changeStream;
    private readonly TaskCompletionSource _firstSync = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<long> _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TimeProvider _time;
    private IDisposable _graph = Disposable.Empty;
    private Task _run = Task.CompletedTask;
    private long _events;
    private bool _handOnIsDue;
    private bool _isUrgent; // as the source was told last

    [OverloadResolutionPriority(1)] // of no sinks at all
    public FlowPipeline(
        PipelineSource source, IEnumerable<IFlowSink> sinks, PipelineOptions options, TimeProvider time, ILogger<FlowPipeline> logger)
        : this(source, sinks.Select(static sink => new QueuedSink(sink)), options, time, logger)
    {
    }

    public FlowPipeline(
        PipelineSource source, IEnumerable<QueuedSink> sinks, PipelineOptions options, TimeProvider time, ILogger<FlowPipeline> logger)
        : this(source, sinks, options, time, logger, new ViewLevers())
    {
    }

    internal FlowPipeline(
        PipelineSource source, IEnumerable<QueuedSink> sinks, PipelineOptions options, TimeProvider time, ILogger<FlowPipeline> logger,
        ViewLevers levers)
    {
        _source = source;
        _options = options;
        _stages = [.. options.Stages];
        _time = time;
        _logger = logger;
        _writer = new ChangeWriter(_pool, _changes);
        _loop = new PipelineLoop(source.Messages, source.Parker, time, Handle, HandOn);
        FlowIdMinter ids = new(FlowIdMinter.NewInstance(time, options.Random));
        if (source.Kernel is { } kernel)
            _asker = new KernelAsker(kernel.Answer, _loop.Wake);
        ViewContext context = new(_writer, ids, _asker is null ? null : _asker.Ask)
        {
            EarlierIds = options.EarlierIds,
            IsRecording = source.Kernel is null,
            Levers = levers,
            InterimSeconds = (uint)(options.InterimInterval?.TotalSeconds ?? 0),
        };
        _view = new FlowView(context);
        if (_asker is not null)
            _loop.Add(_view);
        if (source.Kernel is not null)
            _reconciler = NewReconciler(source.Kernel);
        AttachStages();
        _sinks = [.. sinks.Select(NewQueue)];
        _changeStream = new ChangeStream(_changes, options.SinkQueueBatches, time, logger);
    }

    /// <summary>
    /// The graph. Messages → live view and reconciler → changes → stages of the loop → sinks; timers → audits and count probes.
    /// </summary>
    private CompositeDisposable Connect()
    {
        LoopScheduler loop = _loop.Scheduler;
        CompositeDisposable graph = [];

        graph.Add(_messages.Where(m => m.Kind == TapMessageKind.Events).Select(m => m.Batch!).Subscribe(Apply));

        if (_reconciler is { } reconciler)
        {
            graph.Add(_messages.Where(m => m.Kind != TapMessageKind.Events).Subscribe(m => reconciler.Handle(m)));
            graph.Add(Repeat(NextAudit, loop).Subscribe(_ => reconciler.Request(RoundReason.Audit)));
            if (Probes)
                graph.Add(Repeat(GlanceAtCount, loop).Subscribe());
            graph.Add(Repeat(() => TrimInterval, loop).Subscribe(_ => _view.StartTrim()));
        }

        foreach (ILoopStage stage in _stages)
        {
            graph.Add(_changes.Subscribe(stage.OnChanges));
            graph.Add(_rounds.Subscribe(stage.OnRound));
            graph.Add(Repeat(() => _options.AuditInterval, loop).Subscribe(_ => stage.OnInterval()));
            _loop.Add(stage);
        }

        graph.Add(_rounds.Where(r => r.Reason is RoundReason.Audit && r.Result.Drift > 0).Subscribe(ReportDrift));
        foreach (SinkQueue sink in _sinks)
            graph.Add(_changes.Subscribe(sink));
        return graph;
    }

    /// <summary>A timer whose next interval is asked for each time.</summary>
    private static IObservable<long> Repeat(Func<TimeSpan> next, IScheduler scheduler) =>
        Observable.Defer(() => Observable.Timer(next(), scheduler)).Repeat();

    private TimeSpan NextAudit() => _options.AuditInterval * (1 + (_options.AuditJitter * ((2 * _options.Random.NextDouble()) - 1)));

    private TimeSpan GlanceAtCount()
    {
        if (!_view.Context.Synced || !_reconciler!.IsIdle || _source.Kernel!.Count() is not { } count)
            return CountProbe.Interval;
        (TimeSpan next, bool alarm) = _probe.Glance(CountsNow(count), _loop.Scheduler.Now);
        if (alarm)
            _reconciler.Request(RoundReason.Probe);
        return next;
    }

    private bool Probes => _options is { ProbeCount: true, Filter: null };

    private void TellProbe(RoundReport report)
    {
        ProbeCounts counts = CountsNow(_source.Kernel!.Count() ?? _view.Count);
        if (report.Reason == RoundReason.Probe)
            _probe.OnOwnRound(counts, report.Duration, _loop.Scheduler.Now);
        else
            _probe.OnRound(counts);
    }

    private ProbeCounts CountsNow(long kernel) =>
        new(kernel, _view.Count, _events, _source.Kernel!.Clashes(), _view.Context.Counters.ClashLosers);

    private void Handle(TapMessage message)
    {
        _view.Context.Now = _time.UnixNanoseconds();
        if (message is { Kind: TapMessageKind.Barrier, Token: DrainToken })
            OnDrained();
        else
            _messages.OnNext(message);
    }

    private void Apply(FlowBatch batch)
    {
        _events += batch.Count;
        _view.Apply(batch);
        batch.Release();
    }

    private void OnRound(RoundReport report)
    {
        if (Probes)
            TellProbe(report);
        if (report.Reason is not RoundReason.Audit and not RoundReason.Probe && _view.Context.Synced)
            _logger.Synced(_view.Count, report.Reason, report.Duration.TotalMilliseconds);
        if (_view.Context.Synced || _reconciler!.IsBlind) // what cannot be proven for a setting's sake is no reason to wait
            _firstSync.TrySetResult();
        _rounds.OnNext(report);
    }

    private void ReportDrift(RoundReport report) =>
        _logger.Drift(report.Result.Missing, report.Result.Ghosts, report.Result.WrongIncarnations, report.Result.Rows);

    /// <summary>
    /// Changes go out at once while the sinks keep up. While one lags they wait until a batch is full or <see cref="LagPatience"/> is over:
    /// its queue counts batches, and many small ones would fill it for nothing.
    /// </summary>
    private void HandOn()
    {
        bool isUrgent = IsUrgent();
        if (isUrgent != _isUrgent)
            _source.SetUrgent(_isUrgent = isUrgent);
        if (!_writer.HasChanges)
            return;
        if (isUrgent || SinksKeepUp())
        {
            _writer.Flush();
        }
        else if (!_handOnIsDue)
        {
            _handOnIsDue = true;
            _loop.Scheduler.Schedule(this, LagPatience, static (_, self) =>
            {
                self._handOnIsDue = false;
                self._writer.Flush();
                return Disposable.Empty;
            });
        }
    }

    private bool IsUrgent()
    {
        foreach (ILoopStage stage in _stages)
        {
            if (stage.IsUrgent)
                return true;
        }

        return false;
    }

    private bool SinksKeepUp()
    {
        foreach (SinkQueue sink in _sinks)
        {
            if (sink.Waiting > 0)
                return false;
        }

        return true;
    }

    private bool SinksHaveRoom()
    {
        bool hasRoom = true;
        foreach (SinkQueue sink in _sinks)
            hasRoom &= sink.HasRoom(); // each is asked, so that one that stalls is noticed while another is waited for
        return hasRoom;
    }

    private SinkQueue NewQueue(QueuedSink sink)
    {
        int capacity = sink.Queue.Batches > 0 ? sink.Queue.Batches : _options.SinkQueueBatches;
        return new SinkQueue(sink.Sink, capacity, _time, _logger, _loop.Wake, sink.Queue.WhenFull);
    }

    private void AttachStages()
    {
        StagePorts ports = new()
        {
            FlushChanges = _writer.Flush,
            RequestAudit = () => _reconciler?.Request(RoundReason.Audit),
            FailedRounds = () => _reconciler?.FailedRounds ?? 0,
            AuditInterval = _options.AuditInterval,
            HasFilter = _options.Filter is not null,
            Time = _time,
        };
        StageContext context = new(_view, _loop, ports);
        foreach (ILoopStage stage in _stages)
            stage.Attach(context);
    }

    private Reconciler NewReconciler(KernelTable kernel)
    {
        ReconcilerPorts ports = new()
        {
            RequestBarrier = _source.RequestBarrier,
            Write = _source.Write,
            HasRoom = SinksHaveRoom,
            OnOpened = time => _opened.TrySetResult(time),
            Wake = _loop.Wake,
            OnRound = OnRound,
            Changes = _writer,
            Scheduler = _loop.Scheduler,
            Time = _time,
            IsWanted = _options.Filter,
        };
        Reconciler reconciler = new(_view, kernel, ports, _logger);
        _loop.Add(reconciler);
        return reconciler;
    }
}
