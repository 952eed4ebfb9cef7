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
                _reconciler?.Request(RoundReason.Audit);
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

    private MapCleaning Map => _map ?? throw new InvalidOperationException("no eBPF map is configured");

    private MapContext NewMapContext(MapOptions options) => new(
        _view, options, _source.Kernel is { } kernel ? kernel.Exists : static _ => FlowExistence.Unknown, _time);

    private DeleteStagePorts NewStagePorts() => new()
    {
        FlushChanges = _writer.Flush,
        RequestAudit = () => _reconciler?.Request(RoundReason.Audit),
        Scheduler = _loop.Scheduler,
    };

    private MapAuditPorts NewMapAuditPorts() => new()
    {
        Wake = _loop.Wake,
        FailedRounds = () => _reconciler?.FailedRounds ?? 0,
        Interval = _options.AuditInterval,
    };
}
