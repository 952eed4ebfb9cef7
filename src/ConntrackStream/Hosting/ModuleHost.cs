using System.Reactive.Subjects;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline;
using ConntrackStream.Pipeline.Checkpoint;
using ConntrackStream.Pipeline.Files;
using ConntrackStream.Pipeline.Modules;

namespace ConntrackStream.Service.Hosting;

/// <summary>What is around the modules, filled in while the service starts; <c>doctor</c> leaves the stream's part empty.</summary>
internal sealed class ModuleHost(
    NetworkNamespace network, IPluginLoader plugins, TimeProvider time, ILoggerFactory loggers, Action stop) : IModuleHost, IDisposable
{
    private readonly AsyncSubject<FlowPipeline> _started = new();
    private StateDirectory? _state;
    private FlowPipeline? _pipeline;

    public ILoggerFactory Loggers => loggers;

    public TimeProvider Time => time;

    public NetworkNamespace Network => network;

    public IPluginLoader Plugins => plugins;

    public CheckpointIdentity Identity { get; internal set; }

    public StateDirectory State
    {
        get => _state ?? throw new InvalidOperationException("there is no state directory: the stream is not being started");
        internal set => _state = value;
    }

    public FlowPipeline Pipeline =>
        _pipeline ?? throw new InvalidOperationException("there is no pipeline yet: use it from a sink, a stage or Started");

    public IObservable<FlowPipeline> Started => _started;

    public void Stop() => stop();

    internal void Start(FlowPipeline pipeline)
    {
        _pipeline = pipeline;
        _started.OnNext(pipeline);
        _started.OnCompleted();
    }

    public void Dispose() => _started.Dispose();
}
