using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Audit;
using ConntrackStream.Pipeline.Delete;

namespace ConntrackStream.Pipeline;

// The eBPF map beside the view: its audit, its delete stage, and what is asked of them from outside.
public sealed partial class FlowPipeline
{
    /// <summary>Asks for an audit of the view and then of the map, and waits for its end.</summary>
    /// <exception cref="InvalidOperationException">No map is configured.</exception>
    public async Task<MapReport> AuditMapAsync(CancellationToken cancellationToken)
    {
        Task<MapReport> next = await _loop.InvokeAsync(
            () =>
            {
                Task<MapReport> next = Map.Audit.Next();
                RequestAudit();
                return next;
            },
            cancellationToken).ConfigureAwait(false);
        return await next.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The nominated keys.</summary>
    /// <param name="limit">To show at most.</param>
    /// <exception cref="InvalidOperationException">No map is configured.</exception>
    public Task<TombstoneList> TombstonesAsync(int limit, CancellationToken cancellationToken) =>
        _loop.InvokeAsync(() => Map.Stage.List(limit), cancellationToken);

    /// <summary>Looks keys of a map up in the view, for tools that show them: one call a batch, the first one goes over the whole view.</summary>
    public Task<IReadOnlyList<MapMatch>> MatchAsync(MapEntryBatch batch, CancellationToken cancellationToken) => _loop.InvokeAsync<IReadOnlyList<MapMatch>>(
        () =>
        {
            _matcher ??= new MapMatcher(_view);
            List<MapMatch> matches = new(batch.Count);
            foreach (ref readonly MapEntry entry in batch.Span)
                matches.Add(_matcher.Match(entry.Key));
            return matches;
        },
        cancellationToken);

    private MapMatcher? _matcher;

    private MapCleaning Map => _map ?? throw new InvalidOperationException("no eBPF map is configured");

    private MapContext NewMapContext(MapOptions options)
    {
        if (_source.Kernel is not { } kernel)
            throw new ArgumentException("a map can be kept clean only beside the kernel", nameof(options));
        if (_options.Filter is not null)
            throw new ArgumentException("a map cannot be kept clean under a filter: what it hides looks stale", nameof(options));
        return new MapContext(_view, options, kernel.HasInterface, _time);
    }

    private DeleteStagePorts NewStagePorts() => new()
    {
        FlushChanges = _writer.Flush,
        RequestAudit = RequestAudit,
        Scheduler = _loop.Scheduler,
    };

    private void RequestAudit() => _reconciler?.Request(RoundReason.Audit);

    private MapAuditPorts NewMapAuditPorts() => new()
    {
        Wake = _loop.Wake,
        RequestRound = RequestAudit,
        FailedRounds = () => _reconciler?.FailedRounds ?? 0,
        Timeouts = _source.Kernel!.Timeouts,
        Interval = _options.AuditInterval,
    };
}
