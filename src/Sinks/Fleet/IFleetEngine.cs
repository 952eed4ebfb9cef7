using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Sinks.Fleet;

/// <summary>What keeps the records of a fleet: NATS JetStream, for one. It belongs to one host's publisher.</summary>
internal interface IFleetEngine
{
    /// <summary>For messages: NATS.</summary>
    string Name { get; }

    /// <summary>Of the configuration: Nats.</summary>
    string Section { get; }

    /// <summary>Where the host's records go, in the engine's words: a subject, a topic.</summary>
    string Target { get; }

    /// <summary>Reads the files that the options name, as each connection does.</summary>
    /// <exception cref="ConfigurationException">One cannot be read, or is not ours alone.</exception>
    void CheckFiles();

    /// <summary>Connects, with the files as they are now.</summary>
    /// <exception cref="FleetFailureException">No server can be reached, or it refuses.</exception>
    Task<IFleetLink> OpenAsync(CancellationToken cancellationToken);
}
