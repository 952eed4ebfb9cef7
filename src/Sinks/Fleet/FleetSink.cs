using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Files;
using ConntrackStream.Sinks.Fleet.Spool;
using ConntrackStream.Sinks.FlowLog;

namespace ConntrackStream.Sinks.Fleet;

/// <summary>
/// Flow records to an engine. The sink's thread writes records, numbers them and puts messages into the queue and its spool; the
/// publisher's task sends them.
/// </summary>
internal sealed class FleetSink : IFlowSink
{
    private static readonly TimeSpan LastAttempt = TimeSpan.FromSeconds(2); // for acknowledgements at the end
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1); // for what the queue had no room for

    private readonly IFleetEngine _engine;
    private readonly IFleetOptions _options;
    private readonly FleetRecords _records;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Func<SpoolFiles?> _openSpool;
    private readonly Func<Task<long>>? _opened;
    private readonly Lock _gate = new(); // the builder: the sink's thread, and the timer's
    private MessageQueue? _queue;
    private MessageBuilder? _builder;
    private Publisher? _publisher;
    private ITimer? _timer;
    private bool _isTimerSet;
    private long? _restartFrom; // of a restart gap that is not yet written

    /// <param name="records">Which, and how.</param>
    /// <param name="openSpool">Null where nothing can be kept.</param>
    /// <param name="opened">As for the flow log: since when every event is seen; null for at once.</param>
    internal FleetSink(
        IFleetEngine engine, IFleetOptions options, FleetRecords records, TimeProvider time, ILogger logger, Func<SpoolFiles?> openSpool,
        Func<Task<long>>? opened = null)
    {
        (_engine, _options, _records) = (engine, options, records);
        (_time, _logger, _openSpool, _opened) = (time, logger, openSpool, opened);
    }

    public string Name => NameOf(_engine);

    internal FleetCounters Counters { get; } = new();

    /// <summary>Null before the start.</summary>
    internal FleetStatus? Status => _publisher is not { } publisher || _queue is not { } queue ? null : new FleetStatus
    {
        State = publisher.State,
        IsConnected = publisher.IsConnected,
        Target = _engine.Target,
        Run = RunId.Text(Run),
        Records = Counters.Records,
        Messages = Counters.Messages,
        Bytes = Counters.Bytes,
        Duplicates = Counters.Duplicates,
        Refused = Counters.Refused,
        Unanswered = Counters.Unanswered,
        Dropped = Counters.Dropped,
        Lost = Counters.Lost,
        Filtered = Counters.Filtered,
        Connections = Counters.Connections,
        InFlightMessages = publisher.InFlight,
        MemoryBytes = queue.MemoryBytes,
        UnsavedRecords = queue.Unsaved,
        SpoolBytes = queue.Spool?.Bytes ?? 0,
        SpoolObstacle = queue.Spool is { } spool ? spool.Obstacle : "there is none",
    };

    internal ulong Run { get; private set; }

    /// <summary>Of the sink, its metrics and its status: nats.</summary>
    internal static string NameOf(IFleetEngine engine) => engine.Name.ToLowerInvariant();

    /// <summary>Of its directory below State:Directory.</summary>
    internal static string SpoolNameOf(IFleetEngine engine) => $"{NameOf(engine)}-spool";

    public ValueTask StartAsync(CancellationToken cancellationToken)
    {
        _engine.CheckFiles(); // one that cannot be used ends the start
        SpoolFiles? files = _openSpool();
        MessageSpool? spool = files is null ? null : new MessageSpool(files, _options.Spool, _engine.Section, _time, _logger);
        _queue = new MessageQueue(spool, _options.MemoryBytes);
        FrameHeader? earlier = spool?.Earlier;
        Run = RunId.New(_time, earlier);
        _builder = new MessageBuilder(_records.NewWriter(), _queue, Counters, _options.MaxRecords, Run, _time)
        {
            Previous = earlier is { } last ? (last.Run, last.Last) : default,
        };
        _restartFrom = earlier is { } before
            ? before.UnreportedFrom == 0 ? before.Latest : Math.Min(before.UnreportedFrom, before.Latest)
            : null;
        _timer = _time.CreateTimer(
            static self => ((FleetSink)self!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _publisher = new Publisher(_engine, _options.Window, _queue, _records.NewWriter(), Counters, _time, _logger);
        _publisher.Start();
        return ValueTask.CompletedTask;
    }

    public ValueTask WriteAsync(FlowChangeBatch batch, CancellationToken cancellationToken)
    {
        if (_restartFrom is not null)
            return WriteBehindRestartAsync(batch, cancellationToken);
        Write(batch);
        return ValueTask.CompletedTask;
    }

    public ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
            SetTimer(_options.Linger);
        return ValueTask.CompletedTask;
    }

    /// <summary>Files of the configuration are read again.</summary>
    /// <exception cref="Pipeline.Configuration.ConfigurationException">One cannot be used: the connection stays.</exception>
    internal void Reload()
    {
        _engine.CheckFiles();
        _publisher?.Reload();
    }

    /// <summary>
    /// Sends what there is, and waits at most two seconds for acknowledgements; what is in the spool is for the next start.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (_timer is not null)
            await _timer.DisposeAsync().ConfigureAwait(false);
        if (_publisher is null || _queue is null)
            return;
        lock (_gate)
        {
            WriteRestartGap(_time.UnixNanoseconds());
            _builder!.Complete();
        }

        bool isDrained = await _publisher.DrainAsync(LastAttempt).ConfigureAwait(false);
        await _publisher.DisposeAsync().ConfigureAwait(false);
        if (!isDrained)
            TellWhatIsLeft(_queue);
        _queue.Dispose();
    }

    private void TellWhatIsLeft(MessageQueue queue)
    {
        if (queue.Unsaved > 0)
            _logger.LostAtEnd(queue.Unsaved);
        if (queue.Spool is { Bytes: > 0 and var bytes })
            _logger.LeftInSpool(_engine.Name, bytes, SpoolNameOf(_engine));
    }

    private async ValueTask WriteBehindRestartAsync(FlowChangeBatch batch, CancellationToken cancellationToken)
    {
        long to = await RestartGap.EndAsync(_opened, _time, cancellationToken).ConfigureAwait(false);
        lock (_gate)
            WriteRestartGap(to);
        Write(batch);
    }

    private void WriteRestartGap(long to)
    {
        if (_restartFrom is not { } from)
            return;
        _restartFrom = null;
        _builder!.Append(RestartGap.Between(from, to), unreportedFrom: 0);
    }

    private void Write(FlowChangeBatch batch)
    {
        lock (_gate)
        {
            foreach (ref readonly FlowChange change in batch.Span)
            {
                if (_records.Choice.Takes(change))
                    _builder!.Append(change, batch.UnreportedLossFrom);
                else
                    Counters.Filtered++;
            }
        }
    }

    private void OnTimer()
    {
        lock (_gate)
        {
            _isTimerSet = false;
            _builder!.Complete();
            _queue!.Announce();
            SetTimer(Retry); // where there was no room
        }
    }

    private void SetTimer(TimeSpan wait)
    {
        if (_isTimerSet || !(_builder!.HasAny || _queue!.HasUnannounced))
            return;
        _isTimerSet = true;
        _timer!.Change(wait, Timeout.InfiniteTimeSpan);
    }
}
