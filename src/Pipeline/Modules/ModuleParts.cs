using System.Text.Json;
using ConntrackStream.Pipeline.Queues;
using ConntrackStream.Pipeline.Stages;

namespace ConntrackStream.Pipeline.Modules;

/// <summary>What the modules of a stream have added, in their order; see <see cref="ModuleBuilder"/> for what each is.</summary>
public sealed class ModuleParts
{
    private readonly Dictionary<Type, object> _shared = [];

    public List<Func<QueuedSink>> Sinks { get; } = [];

    public List<Func<ILoopStage>> Stages { get; } = [];

    public List<ModuleCheck> Checks { get; } = [];

    public List<(string Name, Func<JsonElement> Read)> Status { get; } = [];

    public List<(Func<PipelineStatus, string?> Read, string? Sink)> Summaries { get; } = [];

    public List<(string Name, Action Step)> Reloads { get; } = [];

    public List<Action> Starting { get; } = [];

    public List<Func<Task>> Stopping { get; } = [];

    public List<(Func<CancellationToken, Task> Leave, Func<CancellationToken, Task> Follow)> Namespaces { get; } = [];

    public List<IAsyncDisposable> Owned { get; } = [];

    internal T Shared<T>(Func<T> create)
        where T : class
    {
        if (!_shared.TryGetValue(typeof(T), out object? known))
            _shared.Add(typeof(T), known = create());
        return (T)known;
    }
}
