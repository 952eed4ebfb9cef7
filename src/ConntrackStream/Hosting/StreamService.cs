using System.Globalization;
using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline;
using ConntrackStream.Pipeline.Checkpoint;
using ConntrackStream.Pipeline.Delete;
using ConntrackStream.Service.Options;
using ConntrackStream.Service.Plugins;
using ConntrackStream.Service.Reclassify;
using ConntrackStream.Service.Verbs;
using ConntrackStream.Sinks;
using ConntrackStream.Sinks.Ebpf;
using ConntrackStream.Sinks.Evidence;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Reclassify;
using ConntrackStream.Sinks.Reclassify.Act;
using ConntrackStream.Sinks.Reclassify.Rules;

namespace ConntrackStream.Service.Hosting;

/// <summary>
/// The job itself: tap, pipeline and sinks in one network namespace, with what must be set up before and put back after. It comes up in the
/// order of <see cref="StartAsync"/>, and what a failed start has done is undone by <see cref="DisposeAsync"/>.
/// </summary>
internal sealed partial class StreamService(
    ServiceOptions options, SystemdNotifier notifier, ServiceReload reload, IHostApplicationLifetime lifetime, TimeProvider time, ILoggerFactory loggers)
    : IHostedService, IAsyncDisposable
{
    private static readonly TimeSpan LastEvents = TimeSpan.FromSeconds(2); // what waits in the event socket at the end

    private readonly ILogger _logger = loggers.CreateLogger<StreamService>();
    private readonly long _startedAt = time.GetTimestamp();
    private NetworkNamespace? _namespace;
    private StateDirectory? _state;
    private volatile NamespaceHold? _hold; // null while the name leads to no namespace
    private KernelSource? _kernel;
    private FlowPipeline? _pipeline;
    private FlowLogSink? _flowLog;
    private FlowIdCheckpoints? _checkpoints;
    private MapMemoryFile? _mapMemory;
    private MapEvidenceFile? _evidence;
    private ReplaceableSink<ReclassifySink>? _reclassify;
    private StaticRules? _rules;
    private CausedEnds? _ends;
    private Task _announcement = Task.CompletedTask;

    internal DateTimeOffset Started { get; } = time.GetUtcNow();

    /// <summary>What ended the service although nobody asked for it; null otherwise.</summary>
    internal Exception? Failure { get; private set; }

    internal NetworkNamespace Namespace => _namespace ?? throw new InvalidOperationException("not started");

    internal FlowPipeline Pipeline => _pipeline ?? throw new InvalidOperationException("not started");

    /// <summary>Map:Path.</summary>
    internal string? MapPath => options.Map.Path;

    /// <summary>Null when flows are not reclassified, and while no network namespace is followed.</summary>
    internal ReclassifySink? Reclassify => _reclassify?.Current;

    /// <summary>The settings that are watched; none while no network namespace is followed.</summary>
    internal IReadOnlyList<SettingWatch> Settings => _hold?.Settings.Watches ?? [];

    /// <summary>What the kernel granted the event socket, in bytes; null while none is open.</summary>
    internal int? BufferBytes => _kernel?.Tap.BufferBytes;

    internal TapCounters TapCounters => _kernel!.Tap.Counters;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _namespace = NetworkNamespace.Open(options.Tap.NetworkNamespace);
        ServiceLog.Starting(_logger, VersionVerb.Number, _namespace.ToString());
        AskKernel();
        TryMap();
        StateDirectory state = _state = StateDirectory.Open(options.State.Directory);
        if (state.Obstacle is { } obstacle)
            ServiceLog.StateNotKept(_logger, state.Path, obstacle);
        _hold = await NamespaceHold.TakeAsync(options.Tap, state, _namespace, time, _logger, cancellationToken).ConfigureAwait(false);
        CheckpointIdentity checkpointIdentity = _hold.Checkpoint;
        string checkpoint = state.PathOf(_hold.CheckpointName);
        CheckpointedFlows earlierIds = FlowCheckpoint.Load(checkpoint, checkpointIdentity);
        if (earlierIds.Problem is { } problem)
            ServiceLog.CheckpointUnusable(_logger, problem);

        _kernel = new KernelSource(TapConfiguration.ToTap(options.Tap, _namespace), time, loggers);
        _pipeline = new FlowPipeline(
            _kernel.Source, Sinks(state), TapConfiguration.ToPipeline(options, earlierIds, map => WithParts(map, state, checkpointIdentity)), time, loggers.CreateLogger<FlowPipeline>());
        await _pipeline.StartAsync(cancellationToken).ConfigureAwait(false);
        await _kernel.Tap.StartAsync(cancellationToken).ConfigureAwait(false);
        _checkpoints = new FlowIdCheckpoints(_pipeline, checkpoint, checkpointIdentity, time, _logger);
        _checkpoints.Start();
        _announcement = AnnounceAsync(earlierIds);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        notifier.Stopping();
        if (_kernel is null || _pipeline is null)
            return;
        if (Reclassify is not null)
            await Reclassify.HaltAsync().ConfigureAwait(false); // the last events are still to be written, not to be acted on
        if (_checkpoints is not null && !_pipeline.Completion.IsCompleted)
            await _checkpoints.StopAsync(cancellationToken).ConfigureAwait(false);
        await _pipeline.DrainAsync(LastEvents).ConfigureAwait(false);
        await _kernel.Tap.StopAsync().ConfigureAwait(false);
        await _pipeline.StopAsync().ConfigureAwait(false);
        await _announcement.ConfigureAwait(false);
        ServiceLog.Summary(_logger, Summary());
    }

    public async ValueTask DisposeAsync()
    {
        if (_kernel is not null)
            await _kernel.Tap.StopAsync().ConfigureAwait(false);
        if (_pipeline is not null)
            await _pipeline.DisposeAsync().ConfigureAwait(false);
        if (_kernel is not null)
            await _kernel.DisposeAsync().ConfigureAwait(false);
        if (_mapMemory is not null)
            await _mapMemory.DisposeAsync().ConfigureAwait(false);
        if (_evidence is not null)
            await _evidence.DisposeAsync().ConfigureAwait(false);
        _hold?.Dispose();
        _namespace?.Dispose();
        (_kernel, _pipeline, _mapMemory, _evidence, _hold, _namespace) = (null, null, null, null, null, null);
    }

    // Before anything is made or changed: without the permission, or without ctnetlink, nothing else matters.
    private void AskKernel()
    {
        using ConntrackClient client = _namespace!.Run(static () => new ConntrackClient());
        client.Count();
    }

    /// <summary>
    /// The pin may come later, with its agent: each audit looks again, and says so. Whatever else is wrong would stay so.
    /// </summary>
    private void TryMap()
    {
        if (options.Map.Path is not { } path)
            return;
        try
        {
            EbpfFlowMap.Open(path, options.Map.Mode == MapMode.Delete).Dispose();
        }
        catch (FlowMapException e) when (e.Errno == Errno.ENOENT && !path.StartsWith("id:", StringComparison.Ordinal))
        {
            // The first audit warns of it.
        }
    }

    /// <summary>What outlives the process: what is learnt of the map, and the evidence of what is deleted.</summary>
    private MapOptions WithParts(MapOptions map, StateDirectory state, CheckpointIdentity identity)
    {
        _mapMemory = new MapMemoryFile(state, identity, _logger);
        if (options.Map.EvidencePath is { } path)
        {
            _evidence = new MapEvidenceFile(path, options.Map.EvidenceRotation, time, loggers.CreateLogger<MapEvidenceFile>());
            reload.Add("the evidence of deletions", _evidence.Reopen);
        }

        return map with { Earlier = _mapMemory.Load(), OnLearnt = _mapMemory.Keep, Evidence = _evidence };
    }

    private List<IFlowSink> Sinks(StateDirectory state)
    {
        List<IFlowSink> sinks = [];
        _ends = new CausedEnds(time);
        if (options.FlowLog.Enabled)
        {
            _flowLog = new FlowLogSink(
                options.FlowLog, time, loggers.CreateLogger<FlowLogSink>(), _namespace!.IsCurrent ? null : _namespace.Name, state.Path, ends: _ends, opened: () => _pipeline!.Opened);
            _flowLog.ReaderGone.Register(lifetime.StopApplication);
            reload.Add("the flow log", _flowLog.Reopen);
            sinks.Add(_flowLog);
        }

        if (options.Reclassify.Enabled)
        {
            reload.Add("the static rules", () => _rules?.Reload());
            _reclassify = new ReplaceableSink<ReclassifySink>(NewReclassify());
            sinks.Add(_reclassify);
        }

        sinks.AddRange(options.Plugins.Sinks.Select(plugin => PluginAssembly.Load("Plugins:Sinks", plugin).CreateSink(loggers.CreateLogger($"plug-in {plugin}"), time)));
        return sinks;
    }

    /// <summary>For the network namespace that the name leads to now.</summary>
    private ReclassifySink NewReclassify()
    {
        ReclassifyParts parts = ReclassifySetup.Create(options.Reclassify, Namespace, time, loggers);
        _rules = parts.Rules;
        return new ReclassifySink(
            options.Reclassify, parts, (isWanted, onRows, token) => _pipeline!.QueryAsync(isWanted, onRows, token), _ends!, time, loggers.CreateLogger<ReclassifySink>());
    }

    /// <summary>READY when the view is proven equal to the kernel, then watches for the loop's end.</summary>
    private async Task AnnounceAsync(CheckpointedFlows earlierIds)
    {
        FlowPipeline pipeline = _pipeline!;
        await Task.WhenAny(pipeline.FirstSync, pipeline.Completion).ConfigureAwait(false);
        earlierIds.Dispose();
        if (pipeline.FirstSync.IsCompletedSuccessfully)
        {
            PipelineStatus status = pipeline.Status;
            ServiceLog.Ready(_logger, status.FlowsIPv4 + status.FlowsIPv6, time.GetElapsedTime(_startedAt).TotalMilliseconds);
            notifier.Ready($"following {_namespace}");
        }

        await pipeline.Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Failure = pipeline.Completion.Exception?.GetBaseException();
        lifetime.StopApplication();
    }

    // In the sink's queue; what the sink itself drops is not among it.
    private static long DroppedBefore(PipelineStatus status, string sinkName) => status.Sinks.Where(sink => sink.Name == sinkName).Sum(static sink => sink.Dropped);

    private string Summary()
    {
        TapCounters tap = TapCounters;
        PipelineStatus status = Pipeline.Status;
        string text = string.Create(
            CultureInfo.InvariantCulture,
            $"{tap.New} new, {tap.Update} update and {tap.Destroy} destroy events, {tap.Lost} lost in {tap.Overruns} overruns, {tap.Malformed} malformed, {tap.Reconnects} reconnects; {status.FlowsIPv4 + status.FlowsIPv6} flows in the view");
        if (_flowLog is not null)
            text += string.Create(CultureInfo.InvariantCulture, $"; {_flowLog.Counters.Records} records written, {_flowLog.Counters.Dropped + DroppedBefore(status, _flowLog.Name)} dropped");
        foreach (SinkStatus sink in status.Sinks.Where(sink => sink.Dropped > 0 && sink.Name != _flowLog?.Name))
            text += string.Create(CultureInfo.InvariantCulture, $"; {sink.Name}: {sink.Dropped} changes dropped");
        if (status.Map is { Counters: { } map })
            text += string.Create(CultureInfo.InvariantCulture, $"; map: {map.Deleted} entries deleted, {map.Restored} of them restored, {map.WouldDelete} would be deleted, {map.Kept} kept");
        if (Reclassify?.Status is { Mode: ReclassifyMode.DryRun, Counters: { } would })
            text += string.Create(CultureInfo.InvariantCulture, $"; reclassification: nothing was changed (dry run), {would.Resets} times a client would have been reset, {would.Deleted} times an entry deleted, {would.Remarked} times re-marked");
        else if (Reclassify?.Status.Counters is { } moves)
            text += string.Create(CultureInfo.InvariantCulture, $"; reclassification: {moves.Resets} clients reset, {moves.Deleted} entries deleted, {moves.Remarked} re-marked, {moves.Of(ActionOutcome.Moved)} moved, {moves.Of(ActionOutcome.Looped)} looped, {moves.Of(ActionOutcome.Hung)} hung");
        return text;
    }
}
