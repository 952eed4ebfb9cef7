using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Files;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>
/// The flow log, and every other log of records: changes as lines to a file, standard output or a server. It never throws for an output
/// that fails: it keeps what fits, counts what does not, and reports it by a gap record when writing works again. A gap record is also its
/// first line after a restart.
/// </summary>
public sealed class FlowLogSink : IFlowSink
{
    private static readonly TimeSpan LastAttempt = TimeSpan.FromSeconds(2); // how long a slow reader may hold up the end

    private static readonly TimeSpan LookDelay = TimeSpan.FromSeconds(1); // from a write to the look whether its file is still there

    private readonly RecordLog _log;
    private readonly TimeProvider _time;
    private readonly ILogger<FlowLogSink> _logger;
    private readonly RecordChoice _choice;
    private readonly LastWrittenMarker? _marker;
    private readonly UnreportedLoss? _loss;
    private readonly CancellationTokenSource _readerGone = new();
    private readonly CancellationTokenSource _ending = new();
    private readonly Lock _gate = new(); // the output: the sink's task, and Reopen from a signal's thread
    private volatile bool _reopenRequested;
    private long _recordsMarked;
    private readonly Func<Task<long>>? _opened;
    private Task _restartTold = Task.CompletedTask;
    private long? _restartFrom; // of a restart gap not yet written
    private ITimer? _look; // after an output that was written to, a second later
    private bool _lookIsDue;
    private ILogOutput? _output;
    private RecordBuffer? _buffer;

    /// <param name="networkNamespace">For <c>netns</c>; null when it is the service's own.</param>
    /// <param name="stateDirectory">Where to remember when a record was last written; null to tell it from the log alone.</param>
    /// <param name="isWanted">Which flows are logged, besides those of <see cref="FlowLogOptions.Filter"/>; null for all.</param>
    /// <param name="ends">Ends that this service causes, for <c>caused_by</c>; null for none.</param>
    /// <param name="opened">Asked for at the start: since when every event is seen (<see cref="FlowPipeline.Opened"/>), where a restart gap
    /// ends; null for at once.</param>
    public FlowLogSink(
        FlowLogOptions options, TimeProvider time, ILogger<FlowLogSink> logger,
        string? networkNamespace = null, string? stateDirectory = null, FlowPredicate? isWanted = null, CausedEnds? ends = null,
        Func<Task<long>>? opened = null)
        : this(RecordLog.Of(options, time, logger, networkNamespace, isWanted, ends), time, logger, stateDirectory, opened)
    {
    }

    /// <summary>Any log of records.</summary>
    internal FlowLogSink(
        RecordLog log, TimeProvider time, ILogger<FlowLogSink> logger, string? stateDirectory, Func<Task<long>>? opened)
    {
        _log = log;
        _opened = opened;
        _time = time;
        _logger = logger;
        _choice = new RecordChoice(log.Options, log.Flows, log.Filter);
        _marker = stateDirectory is null ? null : new LastWrittenMarker(Path.Join(stateDirectory, log.MarkerFileName), time, logger);
        _loss = stateDirectory is null ? null : new UnreportedLoss(Path.Join(stateDirectory, log.LossFileName), logger);
    }

    /// <summary>Its <see cref="Name"/>.</summary>
    internal const string SinkName = "flowlog";

    public string Name => _log.Name;

    public FlowLogCounters Counters { get; } = new();

    /// <summary>Cancelled when the reader of standard output has gone (EPIPE): nobody will see a record any more.</summary>
    public CancellationToken ReaderGone => _readerGone.Token;

    /// <summary>
    /// Opens the output. If a run before this one wrote to it, the first record is a restart gap, written when events are seen again.
    /// </summary>
    /// <exception cref="FlowLogFileException">The file cannot be opened, or is refused.</exception>
    public ValueTask StartAsync(CancellationToken cancellationToken)
    {
        (ILogOutput output, long? lastWritten) = _log.Open();
        Start(output, lastWritten, cancellationToken);
        return ValueTask.CompletedTask;
    }

    public ValueTask WriteAsync(FlowChangeBatch batch, CancellationToken cancellationToken)
    {
        if (!_restartTold.IsCompleted)
            return WriteBehindRestartAsync(batch, cancellationToken);
        Write(batch, cancellationToken);
        return ValueTask.CompletedTask;
    }

    private async ValueTask WriteBehindRestartAsync(FlowChangeBatch batch, CancellationToken cancellationToken)
    {
        await _restartTold.WaitAsync(cancellationToken);
        Write(batch, cancellationToken);
    }

    private void Write(FlowChangeBatch batch, CancellationToken cancellationToken)
    {
        _gate.Enter();
        try
        {
            _loss?.BeforeWrite(batch.UnreportedLossFrom);
            foreach (ref readonly FlowChange change in batch.Span)
            {
                if (_choice.Takes(change))
                    _buffer!.Append(change, cancellationToken);
                else
                    Counters.Filtered++;
            }
        }
        finally
        {
            Leave();
        }
    }

    public ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        _gate.Enter();
        try
        {
            _buffer!.TryFlush(cancellationToken, force: false);
        }
        finally
        {
            Leave();
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>
    /// Opens the file again, after it was renamed (SIGHUP; logrotate with or without <c>create</c>). From any thread: done at once, or as
    /// soon as the write under way is over. Unwritten records go to the new file.
    /// </summary>
    public void Reopen()
    {
        _reopenRequested = true;
        if (!_gate.TryEnter())
            return;
        Leave();
    }

    /// <summary>Writes out what is buffered, waiting at most two seconds for a slow reader.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync(); // a restart gap that waits for its reader
        ILogOutput? output = WriteLast();
        if (_look is not null)
            await _look.DisposeAsync();
        if (output is not null)
            await output.DisposeAsync();
        _readerGone.Dispose();
        _ending.Dispose();
    }

    /// <summary>With another output, for tests.</summary>
    internal void Start(ILogOutput output, long? lastWritten, CancellationToken cancellationToken)
    {
        _output = output;
        _buffer = new RecordBuffer(output, _log.Writer, Counters, _time, _logger);
        if (output.IsWatched)
            _look = _time.CreateTimer(
                static state => ((FlowLogSink)state!).LookAfterOutput(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _restartFrom = Earlier(lastWritten ?? Earlier(_marker?.Read(), _log.LastWrittenElsewhere()), _loss?.Read());
        if (_restartFrom is null)
            return;
        if (_opened is null)
            TellRestart(_time.UnixNanoseconds(), cancellationToken);
        else
            _restartTold = TellRestartAsync();
    }

    /// <summary>Waits until events are seen, and writes the gap that ends then.</summary>
    private async Task TellRestartAsync()
    {
        long to = await RestartGap.EndAsync(_opened, _time, CancellationToken.None);
        _gate.Enter();
        try
        {
            if (_restartFrom is not null) // the end may have come first
                TellRestart(to, _ending.Token);
        }
        finally
        {
            Leave();
        }
    }

    private void TellRestart(long to, CancellationToken cancellationToken)
    {
        if (_restartFrom is not { } from)
            return;
        _restartFrom = null;
        _buffer!.Append(RestartGap.Between(from, to), cancellationToken);
        _buffer.TryFlush(cancellationToken, force: true);
    }

    /// <summary>On a timer's thread, a second after the last write: whether the output is still there.</summary>
    private void LookAfterOutput()
    {
        if (!_gate.TryEnter())
        {
            _look?.Change(LookDelay, Timeout.InfiniteTimeSpan);
            return;
        }

        try
        {
            _lookIsDue = false;
            Look();
        }
        finally
        {
            Leave();
        }
    }

    private void Look()
    {
        if (_output is not { IsWatched: true })
            return;
        _buffer!.LookAfterOutput(force: true);
        if (_buffer.Pending > 0)
            _buffer.TryFlush(_ending.Token, force: false);
    }

    /// <summary>The output, now without use; null when there is none.</summary>
    private ILogOutput? WriteLast()
    {
        using CancellationTokenSource patience = new(LastAttempt, _time);
        _gate.Enter();
        try
        {
            if (_buffer is not null)
                WriteLast(_buffer, patience.Token);
            return _output;
        }
        finally
        {
            AfterWrite(isLast: true);
            _output = null; // a signal that comes now opens nothing
            Leave();
        }
    }

    private void WriteLast(RecordBuffer buffer, CancellationToken patience)
    {
        TellRestart(_time.UnixNanoseconds(), patience);
        buffer.LookAfterOutput(force: true);
        if (buffer.TryFlush(patience, force: true))
            return;
        long lost = buffer.GiveUp();
        if (buffer.Error != FileCalls.EPIPE) // whoever left did not want them
            _logger.LostAtEnd(lost, _output!.Name);
    }

    private static long? Earlier(long? one, long? other) => one is null || other < one ? other : one;

    /// <summary>A request to reopen that found the gate closed is done by whoever closed it.</summary>
    private void Leave()
    {
        AfterWrite();
        do
        {
            if (_reopenRequested)
            {
                _reopenRequested = false;
                Look();
            }

            _gate.Exit();
        }
        while (_reopenRequested && _gate.TryEnter());
    }

    private void AfterWrite(bool isLast = false)
    {
        if (_look is not null && !_lookIsDue && (_buffer is { IsUnproven: true } or { Pending: > 0 }))
        {
            _lookIsDue = true;
            _look.Change(LookDelay, Timeout.InfiniteTimeSpan);
        }

        if (_buffer is { Pending: 0 } && _restartFrom is null)
            _loss?.AfterWrite();
        if (_output is FlowLogFile file)
            Counters.Rotations = file.Rotations;
        if (_buffer is { Error: FileCalls.EPIPE } && !_readerGone.IsCancellationRequested)
            _readerGone.Cancel();
        if ((Counters.Records == _recordsMarked && !isLast) || _buffer is not { LastTime: not 0 and long lastTime })
            return;
        _recordsMarked = Counters.Records;
        _marker?.Written(lastTime, isLast);
    }
}
