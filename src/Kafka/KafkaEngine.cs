using ConntrackStream.Sinks.Fleet;

namespace ConntrackStream.Kafka;

/// <summary>Apache Kafka as the engine of one host.</summary>
internal sealed class KafkaEngine(KafkaOptions options, string host, TimeProvider time, ILogger logger) : IFleetEngine
{
    internal const string EngineName = "Kafka";

    public string Name => EngineName;

    public string Section => KafkaAccess.Section;

    public string Target => options.Topic;

    internal string Host => host;

    /// <summary>For tests: settings of the client that no option has.</summary>
    internal IReadOnlyDictionary<string, string> ClientSettings { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    public void CheckFiles() => KafkaAccess.Read(options, host);

    public Task<IFleetLink> OpenAsync(CancellationToken cancellationToken) =>
        KafkaLink.OpenAsync(options, host, ClientSettings, time, logger, cancellationToken);
}
