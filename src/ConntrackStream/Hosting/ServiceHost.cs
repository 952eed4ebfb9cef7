using System.Reactive.Linq;
using System.Text.Json;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline;
using ConntrackStream.Pipeline.Audit;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Service.Api;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Metrics;
using ConntrackStream.Service.Options;
using ConntrackStream.Service.Summary;
using ConntrackStream.Sinks.MapCleaning.Module;
using ConntrackStream.Sinks.Reclassify.Figures;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Service.Hosting;

/// <summary>Puts the service together: the stream itself, and around it the HTTP interface, the table's health and the watchdog.</summary>
internal static class ServiceHost
{
    /// <returns>The exit code.</returns>
    internal static async Task<int> RunAsync(
        ServiceOptions options, Func<ServiceOptions> load, CliContext context, CancellationToken cancellation)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        ServiceLogging.LevelSwitch levels = new();
        builder.Logging.AddServiceLogging(options.Logging, levels, context.Environment);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.Shutdown.Timeout + TimeSpan.FromSeconds(10));
        builder.Services.AddSingleton(context.Time);
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton(new SystemdNotifier(context.Environment, context.Time, Environment.ProcessId));
        builder.Services.AddSingleton<ServiceReload>();
        builder.Services.AddSingleton<IHostLifetime, ServiceSignals>();
        builder.Services.AddSingleton<StreamService>();
        builder.Services.AddHostedService(static services => services.GetRequiredService<StreamService>());
        builder.Services.AddSingleton(services => new FlowStates(
            token => services.GetRequiredService<StreamService>().Pipeline.CountStatesAsync(token), context.Time));
        builder.Services.AddSingleton(static services => new ServiceMeter(Figures(services), services.GetRequiredService<FlowStates>()));
        builder.Services.AddSingleton(static services => services.GetRequiredService<ServiceMeter>().Instruments);
        AddAround(builder.Services, options);

        using IHost host = builder.Build();
        ILogger<ServiceReload> reloading = host.Services.GetRequiredService<ILogger<ServiceReload>>();
        host.Services.GetRequiredService<ServiceReload>().Add("the configuration", () =>
        {
            ServiceOptions now = load();
            levels.Level = now.Logging.Level;
            if (ReloadedOptions.NotTaken(options, now) is { Count: > 0 } keys)
                ServiceLog.NotReloaded(reloading, string.Join(", ", keys));
        });
        StreamService stream = host.Services.GetRequiredService<StreamService>();
        await using (stream.ConfigureAwait(false))
        {
            await host.StartAsync(cancellation).ConfigureAwait(false);
            await host.WaitForShutdownAsync(cancellation).ConfigureAwait(false);
        }

        return stream.Failure is null ? ExitCode.Done : ExitCode.Failed;
    }

    private static void AddAround(IServiceCollection services, ServiceOptions options)
    {
        services.AddSingleton(static provider => new KernelRows(() => provider.GetRequiredService<StreamService>().Namespace));
        services.AddHostedService(provider => new ApiServer(
            options.Api,
            Backend(provider, options),
            provider.GetRequiredService<ServiceReload>().Add,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILoggerFactory>()));
        if (options.Api.Metrics.TextFile is not null)
            services.AddHostedService(provider => TextFile(provider, options.Api.Metrics));
        services.AddSingleton(provider => new TableHealthService(
            options.TableHealth,
            new TableSampler(() => provider.GetRequiredService<StreamService>().Namespace).Sample,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<TableHealthService>>(),
            refused => _ = provider.GetRequiredService<StreamService>().Pipeline.ReportRefusedAsync(refused)));
        services.AddHostedService(static provider => provider.GetRequiredService<TableHealthService>());
        services.AddHostedService(provider => new KernelWatch(
            provider.GetRequiredService<StreamService>().LookAtKernelAsync, provider.GetRequiredService<TimeProvider>()));
        services.AddHostedService(provider => new WatchdogService(
            provider.GetRequiredService<SystemdNotifier>(),
            token => PipelineProgress.AskAsync(provider.GetRequiredService<StreamService>().Pipeline, token),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<WatchdogService>>()));
    }

    private static ServiceFigures Figures(IServiceProvider services) => new()
    {
        Tap = () => services.GetRequiredService<StreamService>().TapCounters,
        Status = () => services.GetRequiredService<StreamService>().Pipeline.Status,
        Kernel = () => services.GetRequiredService<StreamService>().KernelFigures,
        Socket = () => services.GetRequiredService<StreamService>().SocketMemory,
        Table = () => services.GetRequiredService<TableHealthService>().Last,
    };

    private static ApiBackend Backend(IServiceProvider services, ServiceOptions options)
    {
        StreamService stream = services.GetRequiredService<StreamService>();
        return new ApiBackend
        {
            Metrics = () => services.GetRequiredService<ServiceMeter>().Families,
            RefreshMetrics = services.GetRequiredService<FlowStates>().RefreshAsync,
            Query = (filter, onRows, token) => stream.Pipeline.QueryAsync(filter.IsEmpty ? null : filter.Matches, onRows, token),
            Walk = (filter, from, skip, atOnce, onRows, token) =>
                stream.Pipeline.WalkAsync(filter.IsEmpty ? null : filter.Matches, from, skip, atOnce, onRows, token),
            FindById = (id, token) => stream.Pipeline.FindAsync(id, token),
            FindByTuple = (tuple, token) => stream.Pipeline.FindAsync(tuple, token),
            Status = () => StatusOf(stream, services.GetRequiredService<TableHealthService>().Last),
            Changes = Observable.Defer(() => stream.Pipeline.Changes),
            Tombstones = options.Map.Path is null
                ? null
                : (limit, token) => stream.Modules.Of<MapCleaningModule>().Cleaner!.TombstonesAsync(limit, token),
            IsHealthy = token => PipelineProgress.AskAsync(stream.Pipeline, token),
            Ask = services.GetRequiredService<KernelRows>().AskAsync,
            OpenTable = () => new TableReader(
                stream.Namespace, services.GetRequiredService<TimeProvider>(), NewFlows(stream, options)),
            NetworkNamespace = options.Tap.NetworkNamespace,
        };
    }

    /// <summary>The tap's own count, unless it follows a part of the flows only.</summary>
    private static Func<long>? NewFlows(StreamService stream, ServiceOptions options) =>
        options.Tap.Filter.Build().IsEmpty ? () => stream.TapCounters.New : null;

    private static MetricsTextFile TextFile(IServiceProvider services, ApiMetricsSettings settings) => new(
        settings,
        () => services.GetRequiredService<ServiceMeter>().Families,
        services.GetRequiredService<FlowStates>().RefreshAsync,
        services.GetRequiredService<TimeProvider>(),
        services.GetRequiredService<ILogger<MetricsTextFile>>());

    private static string? NameOf(RoundReason? reason) =>
        reason is { } known ? JsonNamingPolicy.SnakeCaseLower.ConvertName(known.ToString()) : null;

    private static ServiceStatus StatusOf(StreamService stream, TableSample? table)
    {
        PipelineStatus status = stream.Pipeline.Status;
        EventTap.TapCounters tap = stream.TapCounters;
        return new ServiceStatus
        {
            Version = ProductVersion.Number,
            Host = Environment.MachineName,
            NetworkNamespace = stream.Namespace.IsCurrent ? null : stream.Namespace.Name,
            Started = stream.Started,
            Synced = status.Synced,
            Kernel = stream.KernelFigures,
            Table = table is null
                ? null
                : new TableFigures(table.Count, table.Max, table.Drop, table.EarlyDrop, table.InsertFailed, table.ClashResolve),
            Tap = new TapFigures(
                tap.New, tap.Update, tap.Destroy, tap.Malformed, tap.Lost, tap.Overruns, tap.Reconnects, tap.FailedReconnects, tap.Bytes),
            View = new ViewFigures(
                status.FlowsIPv4 + status.FlowsIPv6, status.FlowsIPv4, status.FlowsIPv6, status.Untapped, status.Changes, status.Backlog,
                status.Rounds, status.FailedRounds, status.ProbeAlarms, status.LastRound?.Result.Drift, NameOf(status.LastRound?.Reason))
            {
                Events = status.Counters,
            },
            Gaps = GapCounters.Reasons.ToDictionary(RecordNames.Text, reason => status.Gaps[reason], StringComparer.Ordinal),
            Sinks = [.. status.Sinks.Select(static sink => new SinkFigures(sink.Name, sink.WaitingBatches, sink.Written, sink.Dropped))],
            Modules = stream.Modules.Status,
        };
    }
}
