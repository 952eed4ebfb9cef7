using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Otlp.Options;
using ConntrackStream.Sinks.Otlp.Records;
using ConntrackStream.Sinks.Otlp.Transport;

namespace ConntrackStream.Sinks.Otlp;

/// <summary>
/// Flow records as logs to a collector. The sink's thread writes records into requests; the exporter's task sends them. It never throws for
/// a collector that fails.
/// </summary>
internal sealed class OtlpSink : IFlowSink
{
    internal const string SinkName = "otlp";

    /// <summary>Name of the file under the state directory that keeps when a record was last accepted.</summary>
    internal static string MarkerFileName(string endpoint) => MarkName.Of(SinkName, endpoint, "last-accepted");

    // The pipeline makes its own changes no faster than sinks take them, and waits for a sink that takes nothing for as long.
    private static readonly TimeSpan BurstPatience = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan LossRetry = TimeSpan.FromSeconds(10); // a refused gap is not sent again and again

    private readonly OtlpOptions _options;
    private readonly RecordChoice _choice;
    private readonly RequestQueue _queue;
    private readonly LogExporter _exporter;
    private readonly LastWrittenMarker? _marker;
    private readonly TimeProvider _time;
    private readonly Func<Task<long>>? _opened;
    private readonly Lock _gate = new(); // the timer
    private ITimer? _timer;
    private long? _dueAt; // timestamp
    private long? _restartFrom; // of a restart gap that is not yet written
    private TimeSpan _waited; // in this burst; the sink's thread's

    /// <param name="encoder">Of records.</param>
    /// <param name="resource">Who sends.</param>
    /// <param name="markerPath">Where to remember when a record was last accepted; null: nowhere.</param>
    /// <param name="opened">As for the flow log: since when every event is seen; null for at once.</param>
    internal OtlpSink(
        OtlpOptions options, RecordEncoder encoder, byte[] resource, TimeProvider time, ILogger logger, string? markerPath,
        Func<Task<long>>? opened = null)
    {
        (_options, _time, _opened) = (options, time, opened);
        _choice = new RecordChoice(options);
        _queue = new RequestQueue(encoder, resource, (int)options.MaxRequestBytes, options.MemoryBytes, Counters);
        _marker = markerPath is null ? null : new LastWrittenMarker(markerPath, time, logger);
        Delivery delivery = new(options, OtlpSignal.Logs, time, logger) { Failed = () => _exporter?.Proceed() };
        _exporter = new LogExporter(_queue, delivery, Counters, _marker, () => SetTimer(LossRetry), time, logger);
    }

    public string Name => SinkName;

    internal OtlpCounters Counters { get; } = new();

    internal OtlpLogsStatus Status => OtlpLogsStatus.Of(_exporter.Delivery, _queue, Counters, _options.MaxRequestBytes);

    public ValueTask StartAsync(CancellationToken cancellationToken)
    {
        OtlpHeaders.ReadAtStart(_options); // a file that cannot be used ends the start
        _restartFrom = _marker?.Read();
        if (_restartFrom is null)
            _marker?.Written(_time.UnixNanoseconds(), isLast: true); // what this run has to send and does not is a gap of the next
        _timer = _time.CreateTimer(
            static self => ((OtlpSink)self!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _exporter.Start();
        return ValueTask.CompletedTask;
    }

    public ValueTask WriteAsync(FlowChangeBatch batch, CancellationToken cancellationToken)
    {
        if (_restartFrom is not null)
            return WriteBehindRestartAsync(batch, cancellationToken);
        int done = Write(batch, from: 0, drops: false);
        if (done < batch.Count)
            return WriteRestAsync(batch, done, cancellationToken);
        if (_waited > TimeSpan.Zero && _queue.IsHalfEmpty)
            _waited = TimeSpan.Zero;
        return ValueTask.CompletedTask;
    }

    public ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        SetTimer(_options.Linger);
        return ValueTask.CompletedTask;
    }

    /// <summary>The next request has a new connection, with the files as they are now.</summary>
    /// <exception cref="Files.UnusableFileException">A file cannot be used: the connection stays.</exception>
    internal void Reload()
    {
        OtlpHeaders.Read(_options);
        _exporter.Delivery.Renew();
    }

    /// <summary>Sends what there is, for two seconds at most.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_timer is not null)
        {
            await _timer.DisposeAsync().ConfigureAwait(false);
            WriteRestartGap(_time.UnixNanoseconds());
            _queue.MakeDue(_time.UnixNanoseconds());
        }

        await _exporter.DisposeAsync().ConfigureAwait(false);
    }

    private async ValueTask WriteBehindRestartAsync(FlowChangeBatch batch, CancellationToken cancellationToken)
    {
        long to = await RestartGap.EndAsync(_opened, _time, cancellationToken).ConfigureAwait(false);
        WriteRestartGap(to);
        await WriteRestAsync(batch, 0, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// What the pipeline makes itself can wait for room, such as the flows of a large table at the start: while the collector takes
    /// requests, and not for long. Live events cannot.
    /// </summary>
    private async ValueTask WriteRestAsync(FlowChangeBatch batch, int from, CancellationToken cancellationToken)
    {
        long began = _time.GetTimestamp();
        TimeSpan before = _waited;
        while (from < batch.Count)
        {
            Task progress = _exporter.Progress;
            _waited = before + _time.GetElapsedTime(began);
            bool waits = _waited < BurstPatience && !_exporter.Delivery.IsFailing && !cancellationToken.IsCancellationRequested
                && HasOfPipeline(batch);
            from = Write(batch, from, drops: !waits);
            if (from < batch.Count)
                await progress.WaitAsync(BurstPatience - _waited, _time, cancellationToken)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static bool HasOfPipeline(FlowChangeBatch batch)
    {
        foreach (ref readonly FlowChange change in batch.Span)
        {
            if (change.Origin != FlowOrigin.Event)
                return true;
        }

        return false;
    }

    private void WriteRestartGap(long to)
    {
        if (_restartFrom is not { } from)
            return;
        _restartFrom = null;
        _queue.Add(RestartGap.Between(from, to), _time.UnixNanoseconds());
    }

    private int Write(FlowChangeBatch batch, int from, bool drops)
    {
        int done = _queue.Add(batch, from, _choice, _time.UnixNanoseconds(), drops);
        if (_queue.HasRequest)
            _exporter.Wake();
        return done;
    }

    private void OnTimer()
    {
        lock (_gate)
            _dueAt = null;
        _queue.MakeDue(_time.UnixNanoseconds());
        _exporter.Wake();
    }

    /// <summary>What there is then is sent then, if not earlier.</summary>
    private void SetTimer(TimeSpan wait)
    {
        lock (_gate)
        {
            long at = _time.GetTimestamp() + (long)(wait.TotalSeconds * _time.TimestampFrequency);
            if (_dueAt <= at || !_queue.HasAny)
                return;
            _dueAt = at;
            _timer!.Change(wait, Timeout.InfiniteTimeSpan);
        }
    }
}
