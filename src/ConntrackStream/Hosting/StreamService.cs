using System.Globalization;
using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline;
using ConntrackStream.Pipeline.Checkpoint;
using ConntrackStream.Pipeline.Files;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Service.Api;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Options;
using ConntrackStream.Service.Output;

namespace ConntrackStream.Service.Hosting;

/// <summary>
/// The stream: tap, pipeline and modules in one network namespace, with what must be set up before and put back after. It comes up in the
/// order of <see cref="StartAsync"/>, and what a failed start has done is undone by <see cref="DisposeAsync"/>.
/// </summary>
internal sealed partial class StreamService(
    ServiceOptions options, Instruments instruments, SystemdNotifier notifier, ServiceReload reload, IHostApplicationLifetime lifetime,
    TimeProvider time, ILoggerFactory loggers)
    : IHostedService, IAsyncDisposable
{
    private static readonly TimeSpan LastEvents = TimeSpan.FromSeconds(2); // what waits in the event socket at the end

    private readonly ILogger _logger = loggers.CreateLogger<StreamService>();
    private readonly long _startedAt = time.GetTimestamp();
    private NetworkNamespace? _namespace;
    private ModuleSet? _modules;
    private StateDirectory? _state;
    private volatile NamespaceHold? _hold; // null while the name leads to no namespace
    private KernelSource? _kernel;
    private FlowPipeline? _pipeline;
    private FlowIdCheckpoints? _checkpoints;
    private Task _announcement = Task.CompletedTask;

    internal DateTimeOffset Started { get; } = time.GetUtcNow();

    /// <summary>What ended the service although nobody asked for it; null otherwise.</summary>
    internal Exception? Failure { get; private set; }

    internal NetworkNamespace Namespace => _namespace ?? throw new InvalidOperationException("not started");

    internal FlowPipeline Pipeline => _pipeline ?? throw new InvalidOperationException("not started");

    internal ModuleSet Modules => _modules ?? throw new InvalidOperationException("not started");

    /// <summary>
    /// What other programs may change under the service. Settings are watched only while a network namespace is followed.
    /// </summary>
    internal KernelFigures KernelFigures => new(
        NamespaceProblem, NamespacesReplaced, _kernel?.Tap.BufferBytes,
        [.. (_hold?.Settings.Watches ?? []).Select(
            static watch => new SettingFigures(watch.Setting.Name, watch.Value, watch.IsOff, watch.TimesOff))]);

    internal TapCounters TapCounters => _kernel!.Tap.Counters;

    /// <summary>Of the event socket; null while none is open.</summary>
    internal SocketMemory? SocketMemory => _kernel?.Tap.ReadMemory();

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _namespace = NetworkNamespace.Open(options.Tap.NetworkNamespace);
        ServiceLog.Starting(_logger, ProductVersion.Number, _namespace.ToString());
        AskKernel();
        _modules = new ModuleSet(options, _namespace, time, loggers, instruments, lifetime.StopApplication);
        _modules.Attach();
        _modules.AttachPlugins();
        _modules.OnStarting();
        StateDirectory state = _state = _modules.Host.State = StateDirectory.Open(options.State.Directory);
        if (state.Obstacle is { } obstacle)
            ServiceLog.StateNotKept(_logger, state.Path, obstacle);
        _hold = await NamespaceHold.TakeAsync(options.Tap, state, _namespace, time, _logger, cancellationToken).ConfigureAwait(false);
        CheckpointIdentity identity = _modules.Host.Identity = _hold.Checkpoint;
        string checkpoint = state.PathOf(_hold.CheckpointName);
        CheckpointedFlows earlierIds = FlowCheckpoint.Load(checkpoint, identity);
        if (earlierIds.Problem is { } problem)
            ServiceLog.CheckpointUnusable(_logger, problem);

        _kernel = new KernelSource(TapConfiguration.ToTap(options.Tap, _namespace), time, loggers);
        PipelineOptions pipeline = TapConfiguration.ToPipeline(options, earlierIds, _modules.CreateStages());
        _pipeline = new FlowPipeline(_kernel.Source, _modules.CreateSinks(), pipeline, time, loggers.CreateLogger<FlowPipeline>());
        _modules.Host.Start(_pipeline);
        foreach ((string name, Action step) in _modules.Reloads)
            reload.Add(name, step);
        await _pipeline.StartAsync(cancellationToken).ConfigureAwait(false);
        await _kernel.Tap.StartAsync(cancellationToken).ConfigureAwait(false);
        _checkpoints = new FlowIdCheckpoints(_pipeline, checkpoint, identity, time, _logger);
        _checkpoints.Start();
        _announcement = AnnounceAsync(earlierIds);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        notifier.Stopping();
        if (_kernel is null || _pipeline is null)
            return;
        await Modules.StopAsync().ConfigureAwait(false);
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
        if (_modules is not null)
            await _modules.DisposeAsync().ConfigureAwait(false);
        _hold?.Dispose();
        _state?.Dispose();
        _namespace?.Dispose();
        (_kernel, _pipeline, _modules, _hold, _namespace) = (null, null, null, null, null);
    }

    // Before anything is made or changed: without the permission, or without ctnetlink, nothing else matters.
    private void AskKernel()
    {
        using ConntrackClient client = _namespace!.Run(static () => new ConntrackClient());
        client.Count();
    }

    /// <summary>
    /// READY when the view is proven equal to the kernel and everything around it has started, as the HTTP interface; then watches for the
    /// loop's end.
    /// </summary>
    private async Task AnnounceAsync(CheckpointedFlows earlierIds)
    {
        FlowPipeline pipeline = _pipeline!;
        await Task.WhenAny(pipeline.FirstSync, pipeline.Completion).ConfigureAwait(false);
        earlierIds.Dispose();
        await Task.WhenAny(HostStartedAsync(), pipeline.Completion).ConfigureAwait(false);
        if (pipeline.FirstSync.IsCompletedSuccessfully && lifetime.ApplicationStarted.IsCancellationRequested)
        {
            PipelineStatus status = pipeline.Status;
            ServiceLog.Ready(_logger, status.FlowsIPv4 + status.FlowsIPv6, time.GetElapsedTime(_startedAt).TotalMilliseconds);
            notifier.Ready($"following {_namespace}");
            StartupMemory.Release();
        }

        await pipeline.Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Failure = pipeline.Completion.Exception?.GetBaseException();
        lifetime.StopApplication();
    }

    private async Task HostStartedAsync()
    {
        TaskCompletionSource started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration registration = lifetime.ApplicationStarted.UnsafeRegister(
            static started => ((TaskCompletionSource)started!).TrySetResult(), started);
        await started.Task.ConfigureAwait(false);
    }

    private string Summary()
    {
        TapCounters tap = TapCounters;
        PipelineStatus status = Pipeline.Status;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{tap.New} new, {tap.Update} update and {tap.Destroy} destroy events, {tap.Lost} lost in {tap.Overruns} overruns, "
            + $"{tap.Malformed} malformed, {tap.Reconnects} reconnects; {status.FlowsIPv4 + status.FlowsIPv6} flows in the "
            + $"view{Modules.Summary(status)}");
    }
}
