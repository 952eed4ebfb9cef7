using ConntrackStream.EventTap;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Files;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Ipfix.Transport;
using ConntrackStream.Sinks.Ipfix.Wire;

namespace ConntrackStream.Sinks.Ipfix;

/// <summary>
/// Sends records of flows to one collector: one when a flow ends, and one at each interim report, with what is new since the last. It never
/// throws for a collector that fails, and waits for one that is slow for a limited time.
/// </summary>
internal sealed partial class CollectorSink : IFlowSink
{
    private const int StreamMessage = 16 * 1024; // a TLS record's length
    private const int BytesAtOnce = 64 * 1024; // of datagrams

    private readonly CollectorAddress _address;
    private readonly FlowDirections _directions;
    private readonly RecordChoice _choice;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

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
        _choice = new RecordChoice(Enum.GetValues<FlowLogEvent>(), options);
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
        MessageWriter messages = address.Transport == CollectorTransport.Udp
            ? new MessageWriter(options.MaxDatagramBytes, domain, BytesAtOnce / options.MaxDatagramBytes)
            : new MessageWriter(StreamMessage, domain);
        Template[] templates =
        [
            FlowTemplates.IPv4, FlowTemplates.IPv6, FlowTemplates.IcmpIPv4, FlowTemplates.IcmpIPv6, GapRecord.Template,
            .. _natEvents is null ? Array.Empty<Template>() : [NatRecord.IPv4, NatRecord.IPv6],
        ];
        _exporter = new RecordExporter(
            messages, templates, domain, options.TemplateInterval, options.Timeout, Counters, time);
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
}
