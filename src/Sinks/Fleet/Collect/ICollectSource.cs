using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Sinks.Fleet.Collect;

/// <summary>What a collector reads messages from.</summary>
internal interface ICollectSource
{
    /// <summary>Into how many parts the hosts are divided; each part is read by itself.</summary>
    int Parts { get; }

    /// <summary>Reads the files that the options name, as each connection does.</summary>
    /// <exception cref="ConfigurationException">One cannot be read, or is not ours alone.</exception>
    void CheckFiles();

    /// <summary>
    /// One connection: hands each message to the logs of its part. Returns when nothing is left, with <see cref="CollectOptions.Once"/>.
    /// </summary>
    /// <param name="parts">Kept from one connection to the next.</param>
    /// <param name="begun">To be called when messages can be read.</param>
    /// <exception cref="FleetFailureException">It cannot be made, or has ended.</exception>
    Task ReadAsync(IReadOnlyList<HostLogs> parts, Action begun, CancellationToken end);
}
