using System.Globalization;
using System.Text.Json;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Pipeline.Queues;
using ConntrackStream.Pipeline.Stages;
using ConntrackStream.Service.Modules;
using ConntrackStream.Service.Options;
using ConntrackStream.Service.Plugins;

namespace ConntrackStream.Service.Hosting;

/// <summary>The modules of one stream, those of plug-ins included, and what they have added to it.</summary>
internal sealed class ModuleSet : IAsyncDisposable
{
    private readonly IReadOnlyList<StreamModule> _modules = ServiceModules.Create();
    private readonly ModuleParts _parts = new();
    private readonly ServiceOptions _options;
    private readonly Instruments _instruments;

    internal ModuleSet(
        ServiceOptions options, NetworkNamespace network, TimeProvider time, ILoggerFactory loggers, Instruments instruments, Action stop)
    {
        (_options, _instruments) = (options, instruments);
        Host = new ModuleHost(network, new PluginLoader(loggers, time), time, loggers, stop);
    }

    internal ModuleHost Host { get; }

    internal IEnumerable<ModuleCheck> Checks => _parts.Checks;

    internal IEnumerable<(string Name, Action Step)> Reloads => _parts.Reloads;

    internal Dictionary<string, JsonElement> Status =>
        _parts.Status.ToDictionary(static one => one.Name, static one => one.Read(), StringComparer.Ordinal);

    /// <summary>A module of the service by its class.</summary>
    internal T Of<T>() => _modules.OfType<T>().Single();

    /// <summary>Lets each register what it adds; nothing is opened.</summary>
    internal void Attach()
    {
        foreach (StreamModule module in _modules)
            module.Attach(_options.Modules[module.Section], NewBuilder(module.Section));
    }

    /// <exception cref="ConfigurationException">One cannot be used.</exception>
    internal void AttachPlugins() => PluginModules.Attach(_options, NewBuilder);

    /// <summary>Before anything is made or changed.</summary>
    internal void OnStarting() => _parts.Starting.ForEach(static call => call());

    internal IReadOnlyList<ILoopStage> CreateStages() => [.. _parts.Stages.Select(static create => create())];

    /// <exception cref="ConfigurationException">Two have one name, by which status and metrics tell them apart.</exception>
    internal IReadOnlyList<QueuedSink> CreateSinks()
    {
        List<QueuedSink> sinks = [];
        foreach (Func<QueuedSink> create in _parts.Sinks)
        {
            QueuedSink added = create();
            if (sinks.Exists(other => other.Sink.Name == added.Sink.Name))
                throw new ConfigurationException([$"{PluginModules.Key}: two sinks are called {added.Sink.Name}"]);
            sinks.Add(added);
        }

        return sinks;
    }

    internal async Task LeaveNamespaceAsync(CancellationToken cancellation)
    {
        foreach ((Func<CancellationToken, Task> leave, _) in _parts.Namespaces)
            await leave(cancellation).ConfigureAwait(false);
    }

    internal async Task FollowNamespaceAsync(CancellationToken cancellation)
    {
        foreach ((_, Func<CancellationToken, Task> follow) in _parts.Namespaces)
            await follow(cancellation).ConfigureAwait(false);
    }

    internal async Task StopAsync()
    {
        foreach (Func<Task> stop in _parts.Stopping)
            await stop().ConfigureAwait(false);
    }

    /// <summary>For the service's last line: what each has done, and what each sink has not told of its losses.</summary>
    internal string Summary(PipelineStatus status)
    {
        IEnumerable<string> done = _parts.Summaries.Select(summary => summary.Read(status)).OfType<string>();
        IEnumerable<string> dropped = status.Sinks
            .Where(sink => sink.Dropped > 0 && !_parts.Summaries.Any(summary => summary.Sink == sink.Name))
            .Select(static sink => string.Create(CultureInfo.InvariantCulture, $"{sink.Name}: {sink.Dropped} changes dropped"));
        return string.Concat(done.Concat(dropped).Select(static text => $"; {text}"));
    }

    /// <summary>After the pipeline.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (IAsyncDisposable owned in _parts.Owned)
            await owned.DisposeAsync().ConfigureAwait(false);
        _parts.Owned.Clear();
        Host.Dispose();
    }

    private ModuleBuilder NewBuilder(string section) => new(Host, section, _parts, _instruments);
}
