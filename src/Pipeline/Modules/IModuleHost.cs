using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Checkpoint;
using ConntrackStream.Pipeline.Files;

namespace ConntrackStream.Pipeline.Modules;

/// <summary>What is around a module: the service, or <c>doctor</c>, which has no pipeline and no state directory.</summary>
public interface IModuleHost
{
    /// <summary>For loggers with names of their own.</summary>
    ILoggerFactory Loggers { get; }

    /// <summary>The clock and the timers.</summary>
    TimeProvider Time { get; }

    /// <summary>The network namespace that is followed.</summary>
    NetworkNamespace Network { get; }

    /// <summary>The followed network namespace in names and heads of files: differs after each boot.</summary>
    /// <exception cref="InvalidOperationException">The stream is not being started.</exception>
    CheckpointIdentity Identity { get; }

    /// <summary>For files that outlive the process.</summary>
    /// <exception cref="InvalidOperationException">The stream is not being started.</exception>
    StateDirectory State { get; }

    /// <summary>The running pipeline.</summary>
    /// <exception cref="InvalidOperationException">There is none yet; see <see cref="Started"/>.</exception>
    FlowPipeline Pipeline { get; }

    /// <summary>The pipeline, once, as soon as it is there.</summary>
    IObservable<FlowPipeline> Started { get; }

    /// <summary>Code from other assemblies.</summary>
    IPluginLoader Plugins { get; }

    /// <summary>Ends the service in order, as a signal does.</summary>
    void Stop();
}
