using ConntrackStream.Pipeline.Audit;

namespace ConntrackStream.Pipeline.Delete;

/// <summary>The parts that keep one eBPF map clean.</summary>
internal sealed class MapCleaning : IAsyncDisposable
{
    private readonly MapContext _context;

    public MapCleaning(MapContext context, DeleteStagePorts stagePorts, MapAuditPorts auditPorts, ILogger logger)
    {
        _context = context;
        Journal = new DeleteJournal(logger, context.Options.OnOutcome, context.Options.Evidence);
        Stage = new DeleteStage(context, stagePorts, Journal, logger);
        Audit = new MapAudit(context, Stage, auditPorts, logger);
    }

    public DeleteJournal Journal { get; }

    public DeleteStage Stage { get; }

    public MapAudit Audit { get; }

    public MapStatus Status => new()
    {
        Mode = _context.Options.Mode,
        Map = _context.Map?.Info,
        Problem = Audit.Problem,
        HasMatched = _context.HasMatched,
        IsRefused = Stage.IsRefused,
        IsStarving = Audit.IsStarving,
        Tombstones = Stage.Count,
        Armed = Stage.Armed,
        Observed = Stage.Observed,
        WithoutFlow = _context.Misses.Count,
        Held = Audit.Held,
        ExemptGroups = _context.Groups.Exempt,
        Zones = _context.Live.Zones.Length,
        LastAudit = Audit.Last,
        SinceCounted = TimeSpan.FromTicks((_context.Monotonic - Audit.LastCounted) / 100),
        Counters = _context.Counters,
    };

    /// <summary>To be called once each audit interval, also while no round succeeds.</summary>
    public void OnInterval()
    {
        Audit.WatchForStarvation();
        Journal.Summarise();
    }

    public async ValueTask DisposeAsync()
    {
        await Audit.StopAsync().ConfigureAwait(false);
        Audit.Dispose();
        await Journal.DisposeAsync().ConfigureAwait(false);
    }
}
