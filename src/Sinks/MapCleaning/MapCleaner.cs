using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Audit;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Loop;
using ConntrackStream.Pipeline.Stages;
using ConntrackStream.Sinks.MapCleaning.Audit;
using ConntrackStream.Sinks.MapCleaning.Delete;

namespace ConntrackStream.Sinks.MapCleaning;

/// <summary>Keeps one eBPF map clean: its audit follows the view's, its delete stage sees every change of the view first.</summary>
public sealed class MapCleaner : ILoopStage
{
    private readonly MapOptions _options;
    private readonly MapLevers _levers;
    private readonly MapKernel _kernel;
    private readonly ILogger _logger;
    private readonly DeleteJournal _journal;
    private MapContext? _context;
    private DeleteStage? _stage;
    private MapAudit? _audit;

    internal MapCleaner(MapOptions options, MapKernel kernel, ILogger logger, MapLevers levers)
    {
        (_options, _levers, _kernel, _logger) = (options, levers, kernel, logger);
        _journal = new DeleteJournal(logger, options.OnOutcome, options.Evidence);
    }

    /// <summary>For the map of a network namespace.</summary>
    public MapCleaner(MapOptions options, NetworkNamespace network, ILogger<MapCleaner> logger)
        : this(options, MapKernel.Of(network, logger), logger, new MapLevers())
    {
    }

    /// <summary>A glance at its figures; from any thread.</summary>
    public MapStatus Status => new()
    {
        Mode = _options.Mode,
        Map = Context.Map?.Info,
        Problem = Audit.Problem,
        HasMatched = Context.HasMatched,
        IsRefused = Stage.IsRefused,
        IsStarving = Audit.IsStarving,
        Tombstones = Stage.Count,
        Armed = Stage.Armed,
        Observed = Stage.Observed,
        WithoutFlow = Context.Misses.Count,
        Held = Audit.Held,
        ExemptGroups = Context.Groups.Exempt,
        Zones = Context.Live.Zones.Length,
        LastAudit = Audit.Last,
        SinceCounted = TimeSpan.FromTicks((Context.Monotonic - Audit.LastCounted) / 100),
        Counters = Context.Counters,
    };

    /// <summary>An armed entry is put back by a NEW that must not wait.</summary>
    public bool IsUrgent => Stage.Armed > 0;

    private MapContext Context => _context ?? throw new InvalidOperationException("not attached to a pipeline");

    private DeleteStage Stage => _stage ?? throw new InvalidOperationException("not attached to a pipeline");

    private MapAudit Audit => _audit ?? throw new InvalidOperationException("not attached to a pipeline");

    /// <exception cref="InvalidOperationException">There is no kernel behind the view, or a filter before it: what
    /// it hides would look stale.</exception>
    public void Attach(StageContext context)
    {
        if (context.IsRecording)
            throw new InvalidOperationException("a map can be kept clean only beside the kernel");
        if (context.HasFilter)
            throw new InvalidOperationException("a map cannot be kept clean under a filter: what it hides looks stale");
        _context = new MapContext(context, _options, _levers, _kernel);
        _stage = new DeleteStage(_context, _journal, _logger);
        _audit = new MapAudit(_context, _stage, _logger);
        _journal.Start();
    }

    /// <inheritdoc/>
    public void OnChanges(FlowChangeBatch batch) => Stage.OnChanges(batch);

    /// <inheritdoc/>
    public void OnRound(RoundReport round) => Audit.OnRound(round);

    /// <inheritdoc/>
    public void OnInterval()
    {
        Audit.WatchForStarvation();
        _journal.Summarise();
    }

    /// <summary>A step of the audit, or else one of the delete stage.</summary>
    public LoopWorkState Step()
    {
        LoopWorkState audit = Audit.Step();
        LoopWorkState stage = Stage.Step();
        return audit == LoopWorkState.Busy || stage == LoopWorkState.Busy ? LoopWorkState.Busy : LoopWorkState.Waiting;
    }

    /// <inheritdoc/>
    public Task LeaveNamespaceAsync()
    {
        Audit.LeaveNamespace();
        return Task.Run(_kernel.Close); // waits for a request that is under way
    }

    /// <summary>Nothing more is deleted, and what can still be put back is checked a last time.</summary>
    public Task StopAsync() => Stage.StopAsync();

    /// <summary>Asks for an audit of the view and then of the map, and waits for its end. From any thread.</summary>
    public async Task<MapReport> AuditAsync(CancellationToken cancellationToken)
    {
        Task<MapReport> next = await Context.Stage.InvokeAsync(
            () =>
            {
                Task<MapReport> next = Audit.Next();
                Context.Stage.RequestAudit();
                return next;
            },
            cancellationToken).ConfigureAwait(false);
        return await next.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The nominated keys. From any thread.</summary>
    /// <param name="limit">To show at most.</param>
    public Task<TombstoneList> TombstonesAsync(int limit, CancellationToken cancellationToken) =>
        Context.Stage.InvokeAsync(() => Stage.List(limit), cancellationToken);

    /// <summary>Ends a scan that is under way, and writes what the journal has.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_audit is not null)
        {
            await _audit.StopAsync().ConfigureAwait(false);
            _audit.Dispose();
        }

        await _journal.DisposeAsync().ConfigureAwait(false);
        _kernel.Close();
    }
}
