using System.Reactive.Linq;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Queues;
using ConntrackStream.Pipeline.Stages;

namespace ConntrackStream.Pipeline.Modules;

/// <summary>Everything that a module can add to the service. What it registers is called later, when and where its member says.</summary>
public sealed class ModuleBuilder
{
    private readonly ModuleParts _parts;

    /// <param name="host">What is around.</param>
    /// <param name="section">The module's.</param>
    /// <param name="parts">Of the stream: what all its modules add.</param>
    /// <param name="instruments">Of the service.</param>
    public ModuleBuilder(IModuleHost host, string section, ModuleParts parts, Instruments instruments)
    {
        (Host, _parts, Instruments) = (host, parts, instruments);
        Logger = host.Loggers.CreateLogger(section);
    }

    /// <summary>What is around.</summary>
    public IModuleHost Host { get; }

    /// <summary>With the section's name.</summary>
    public ILogger Logger { get; }

    /// <summary>For metrics: each reads figures when it is asked.</summary>
    public Instruments Instruments { get; }

    /// <summary>
    /// Every change of the live view while subscribed (<see cref="FlowPipeline.Changes"/>): for what comes and goes, such as a view. What
    /// must not miss anything is a sink.
    /// </summary>
    public IObservable<FlowChangeBatch> Changes => Host.Started.SelectMany(static pipeline => pipeline.Changes);

    /// <summary>One instance for all modules of the stream, made by the first that asks.</summary>
    public T Shared<T>(Func<T> create)
        where T : class => _parts.Shared(create);

    /// <summary>Adds a sink, which the pipeline disposes of.</summary>
    /// <param name="create">Called when the stream starts.</param>
    /// <param name="queue">What becomes of changes that it is too slow for.</param>
    public void AddSink(Func<IFlowSink> create, SinkQueueOptions queue = default) =>
        _parts.Sinks.Add(() => new QueuedSink(create(), queue));

    /// <summary>Adds a stage of the loop, which sees each batch before the sinks do; the pipeline disposes of it.</summary>
    /// <param name="create">Called when the stream starts.</param>
    public void AddStage(Func<ILoopStage> create) => _parts.Stages.Add(create);

    /// <summary>Adds lines of <c>doctor</c>. The stream does not run then.</summary>
    public void AddCheck(ModuleCheck check) => _parts.Checks.Add(check);

    /// <summary>Adds a property of <c>/v1/status</c>: null while <paramref name="read"/> returns null.</summary>
    /// <param name="name">In snake_case.</param>
    /// <param name="type">How it is written.</param>
    /// <param name="read">From any thread.</param>
    public void AddStatus<T>(string name, JsonTypeInfo<T> type, Func<T?> read)
        where T : class => _parts.Status.Add((name, () => JsonSerializer.SerializeToElement(read()!, type)));

    /// <summary>Adds to the line that the service logs at its end.</summary>
    /// <param name="read">Null adds nothing.</param>
    /// <param name="sink">Name of the sink whose losses the text includes; null: of none.</param>
    public void AddSummary(Func<PipelineStatus, string?> read, string? sink = null) => _parts.Summaries.Add((read, sink));

    /// <summary>
    /// A step of SIGHUP, such as reopening a log. One that throws IOException, InvalidDataException, UnauthorizedAccessException or
    /// <see cref="Configuration.ConfigurationException"/> is reported, and everything goes on as before.
    /// </summary>
    /// <param name="name">For the report: the flow log.</param>
    public void OnReload(string name, Action step) => _parts.Reloads.Add((name, step));

    /// <summary>Called before anything is made or changed; what it throws ends the start.</summary>
    public void OnStarting(Action call) => _parts.Starting.Add(call);

    /// <summary>Called at the end, before the last events are read: from then on nothing new is begun.</summary>
    public void OnStopping(Func<Task> call) => _parts.Stopping.Add(call);

    /// <summary>The name of the followed network namespace has come to lead to another one.</summary>
    /// <param name="leave">Called first: nothing of the old one may be kept open.</param>
    /// <param name="follow">Called before events of the new one are read.</param>
    public void OnNamespaceReplaced(Func<CancellationToken, Task> leave, Func<CancellationToken, Task> follow) =>
        _parts.Namespaces.Add((leave, follow));

    /// <summary>Disposed of at the end, after the pipeline.</summary>
    public void Own(IAsyncDisposable resource) => _parts.Owned.Add(resource);
}
