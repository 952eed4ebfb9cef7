using System.Globalization;
using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Files;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Ipfix.Transport;
using ConntrackStream.Sinks.Ipfix.Wire;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.Ipfix;

/// <summary>
/// Sends records of flows to one collector: one when a flow ends, and one at each interim report, with what is new since the last. It never
/// throws for a collector that fails, and waits for one that is slow for a limited time.
/// </summary>
internal sealed class CollectorSink : IFlowSink
{
    private const int StreamMessage = 16 * 1024; // a TLS record's length

    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1), LongestWait = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan HealthyAfter = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan WarningInterval = TimeSpan.FromMinutes(10);

    private readonly CollectorAddress _address;
    private readonly FlowDirections _directions;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CollectorConnector _connector;
    private readonly RepeatedSession<CollectorException> _sessions;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _attempted = new(TaskCreationOptions.RunContinuationsAsynchronously); // the first connection
    private Task _running = Task.CompletedTask;
    private volatile string _state = "not started";
    private volatile CollectorConnection? _connection; // null while there is none
    private long? _warnedAt; // timestamp; the session's task's

    // the sink's thread's
    private readonly RecordExporter _exporter;
    private readonly LongFlows _longFlows;
    private readonly (byte Create, byte Delete)? _natEvents;
    private readonly LongFlowsFile? _file;
    private bool _hasWarnedOfLongFlows;

    /// <param name="state">Where to keep what was reported of long flows; null: nowhere.</param>
    internal CollectorSink(
        CollectorAddress address,
        IpfixOptions options,
        TimeProvider time,
        ILogger logger,
        StateDirectory? state = null,
        int mostLongFlows = LongFlows.UsualMost)
    {
        (_address, _time, _logger) = (address, time, logger);
        _file = state is null ? null : new LongFlowsFile(state, address.ToString(), logger);
        _directions = options.Directions();
        _connector = new CollectorConnector(address, options.Tls, options.Timeout, time);
        Backoff backoff = new(FirstWait, LongestWait) { BeginsAtOnce = true, Jitter = 0.25 };
        _sessions = new RepeatedSession<CollectorException>(backoff, HealthyAfter, time, OnWait);
        _longFlows = new LongFlows(mostLongFlows);
        _natEvents = options.NatEvents switch
        {
            IpfixNatEvents.Session => (NatRecord.SessionCreate, NatRecord.SessionDelete),
            IpfixNatEvents.Translation => (NatRecord.TranslationCreate, NatRecord.TranslationDelete),
            _ => null,
        };
        uint domain = (uint)options.ObservationDomain;
        int length = address.Transport == CollectorTransport.Udp ? options.MaxDatagramBytes : StreamMessage;
        Template[] templates =
        [
            FlowTemplates.IPv4, FlowTemplates.IPv6, FlowTemplates.IcmpIPv4, FlowTemplates.IcmpIPv6, GapRecord.Template,
            .. _natEvents is null ? Array.Empty<Template>() : [NatRecord.IPv4, NatRecord.IPv6],
        ];
        _exporter = new RecordExporter(
            new MessageWriter(length, domain), templates, domain, options.TemplateInterval, options.Timeout, Counters, time);
        Name = NameOf(address);
    }

    public string Name { get; }

    internal static string NameOf(CollectorAddress address) => $"ipfix {address}";

    internal CollectorCounters Counters { get; } = new();

    internal CollectorStatus Status => new(_address.ToString(), _state, _connection is not null, _longFlows.Count, Counters);

    /// <summary>Begins to connect; what fails is tried again.</summary>
    public ValueTask StartAsync(CancellationToken cancellationToken)
    {
        _file?.ReadInto(_longFlows);
        _running = RunAsync();
        return ValueTask.CompletedTask;
    }

    public ValueTask WriteAsync(FlowChangeBatch batch, CancellationToken cancellationToken)
    {
        if (!_attempted.Task.IsCompleted)
            return WriteAfterAttemptAsync(batch, cancellationToken);
        Write(batch);
        return ValueTask.CompletedTask;
    }

    public ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        _exporter.Use(_connection);
        _exporter.Flush();
        return ValueTask.CompletedTask;
    }

    /// <summary>Ends the session in order: what was sent arrives.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_exporter.Pending > 0)
            _logger.RecordsLostAtEnd(_exporter.Pending, _address.ToString());
        _file?.Write(_longFlows);
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        _stop.Dispose();
    }

    /// <summary>So that nothing is dropped only because the first connection takes its time.</summary>
    private async ValueTask WriteAfterAttemptAsync(FlowChangeBatch batch, CancellationToken cancellationToken)
    {
        await _attempted.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        Write(batch);
    }

    private void Write(FlowChangeBatch batch)
    {
        _exporter.Use(_connection);
        foreach (ref readonly FlowChange change in batch.Span)
        {
            switch (change.Kind)
            {
                case FlowChangeKind.Started:
                    WriteTranslation(change, isEnd: false);
                    break;
                case FlowChangeKind.Updated:
                    WriteInterim(change);
                    break;
                case FlowChangeKind.Ended:
                    WriteFlow(change, change.End != 0 ? change.End : change.Time);
                    _longFlows.Remove(change.Id);
                    WriteTranslation(change, isEnd: true);
                    break;
                default:
                    _exporter.AddGap(change);
                    break;
            }
        }
    }

    /// <summary>
    /// A change of its state has no counters, and is no report; nor is there a record of a flow without packets since the last.
    /// </summary>
    private void WriteInterim(in FlowChange change)
    {
        FlowCounts counts = FlowCounts.Of(change.Flow);
        FlowCounts before = _longFlows.TryGet(change.Id, out LongFlows.Reported last) ? last.Counts : default;
        if (change.Origin == FlowOrigin.Event || counts == before)
            return;
        if (!_longFlows.HasRoomFor(change.Id, change.Time))
        {
            Counters.InterimSkipped++;
            if (!_hasWarnedOfLongFlows)
                _logger.TooManyLongFlows(_longFlows.Count, _address.ToString());
            _hasWarnedOfLongFlows = true;
        }
        else if (WriteFlow(change, change.Time))
        {
            _longFlows.Set(change.Id, new LongFlows.Reported(counts, change.Time));
        }
    }

    private bool WriteFlow(in FlowChange change, long end)
    {
        if (!_exporter.TryAdd(FlowTemplates.For(change.Flow.Original), change, out Span<byte> record))
            return false;
        FlowCounts counts = FlowCounts.Of(change.Flow);
        long start = change.Start != 0 ? change.Start : change.Flow.KnownStart;
        if (_longFlows.TryGet(change.Id, out LongFlows.Reported reported))
            (counts, start) = (counts.Since(reported.Counts), reported.Until);
        FlowData.Write(record, change.Flow, new FlowReport(
            start == 0 ? end : Math.Min(start, end), // IPFIX knows no unknown start
            end,
            counts,
            FlowEndReasons.Of(change),
            _directions.Of(change.Flow) == FlowDirection.Egress,
            IdOf(change)));
        return true;
    }

    private void WriteTranslation(in FlowChange change, bool isEnd)
    {
        ref readonly Flow flow = ref change.Flow;
        const FlowStatus translated = FlowStatus.SourceNat | FlowStatus.DestinationNat;
        if (_natEvents is not { } events || !flow.Has(FlowFields.BothTuples)
            || !(flow.IsSourceNat || flow.IsDestinationNat || (flow.Status & translated) != FlowStatus.None))
            return;
        bool isIPv6 = flow.Original.IsIPv6;
        if (!_exporter.TryAdd(isIPv6 ? NatRecord.IPv6 : NatRecord.IPv4, change, out Span<byte> record))
            return;
        long time = isEnd ? change.End : change.Start;
        (byte create, byte delete) = isIPv6 ? (NatRecord.TranslationCreate, NatRecord.TranslationDelete) : events;
        NatRecord.Write(record, flow, time != 0 ? time : change.Time, isEnd ? delete : create, IdOf(change));
    }

    private static ulong IdOf(in FlowChange change) => change.Id.IsNone ? 0 : change.Id.SecondHalf;

    private async Task RunAsync()
    {
        try
        {
            await _sessions.RunAsync(SessionAsync, _stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            _state = "stopped";
        }
        finally
        {
            _attempted.TrySetResult();
        }
    }

    private async ValueTask SessionAsync(CancellationToken stop)
    {
        _state = "connecting";
        CollectorConnection connection = await _connector.OpenAsync(stop).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            _sessions.Begun();
            Interlocked.Increment(ref Counters.Connections);
            ReportConnected(connection);
            (_connection, _state) = (connection, "connected");
            _attempted.TrySetResult();
            try
            {
                string reason = await connection.Ended.WaitAsync(stop).ConfigureAwait(false);
                throw new CollectorException(reason);
            }
            finally
            {
                _connection = null;
            }
        }
    }

    /// <summary>A datagram socket is open at once, which says nothing of the collector.</summary>
    private void ReportConnected(CollectorConnection connection)
    {
        if (Counters.Connections == 1)
            _logger.CollectorConnected(_address.ToString());
        else if (!connection.IsDatagram && _warnedAt is not null)
            _logger.CollectorRecovered(_address.ToString(), Counters.Dropped);
        if (!connection.IsDatagram)
            _warnedAt = null;
    }

    private void OnWait(TimeSpan wait, CollectorException failure)
    {
        Interlocked.Increment(ref Counters.Failures);
        _state = string.Create(CultureInfo.InvariantCulture, $"waits for {wait.TotalSeconds:0.0} s: {failure.Message}");
        if (_warnedAt is not { } warnedAt || _time.GetElapsedTime(warnedAt) >= WarningInterval)
        {
            _logger.CollectorFailed(_address.ToString(), failure.Message, wait.TotalSeconds);
            _warnedAt = _time.GetTimestamp();
        }

        _attempted.TrySetResult();
    }
}
