using System.Globalization;
using Confluent.Kafka;
using ConntrackStream.Sinks.Fleet;

namespace ConntrackStream.Kafka;

/// <summary>Asks brokers about a topic, in short steps, because a call cannot be cancelled, nor its client disposed of meanwhile.</summary>
internal static class TopicMetadataReader
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(500), Patience = TimeSpan.FromSeconds(10);

    /// <summary>The topic as the brokers know it, which they make where they are set to.</summary>
    /// <param name="client">Of a producer or consumer that <paramref name="health"/> hears.</param>
    /// <returns>And the broker that has answered.</returns>
    /// <exception cref="FleetFailureException">No broker answers, or the topic cannot be used.</exception>
    internal static Task<(TopicMetadata Topic, string Broker)> ReadAsync(
        Handle client, KafkaOptions options, KafkaHealth health, TimeProvider time, CancellationToken cancellation) =>
        Task.Run(() => Read(client, options, health, time, cancellation), cancellation);

    /// <summary>Until a broker answers, all are known to be away, or the client is of no use.</summary>
    /// <param name="ask">With how long it may take.</param>
    /// <exception cref="FleetFailureException">No broker answers.</exception>
    internal static Metadata Ask(
        Func<TimeSpan, Metadata> ask, KafkaOptions options, KafkaHealth health, TimeProvider time, CancellationToken cancellation)
    {
        long began = time.GetTimestamp();
        string problem;
        do
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                return ask(Step);
            }
            catch (KafkaException e)
            {
                problem = $"{string.Join(", ", options.Brokers)}: {health.Reason ?? health.Last ?? e.Error.Reason}";
            }
        }
        while (!health.Lost.IsCancellationRequested && health is { Obstacle: null, IsTurnedAway: false }
            && time.GetElapsedTime(began) < Patience);
        throw new FleetFailureException(problem);
    }

    private static (TopicMetadata Topic, string Broker) Read(
        Handle client, KafkaOptions options, KafkaHealth health, TimeProvider time, CancellationToken cancellation)
    {
        using IAdminClient admin = new DependentAdminClientBuilder(client).Build();
        Metadata metadata = Ask(step => admin.GetMetadata(options.Topic, step), options, health, time, cancellation);
        TopicMetadata topic = metadata.Topics.Single(one => one.Topic == options.Topic);
        if (topic.Error.IsError || topic.Partitions.Count == 0)
            throw new FleetFailureException(Describe(topic, options.Topic));
        health.IsOpen = true;
        return (topic, metadata.OriginatingBrokerName);
    }

    private static string Describe(TopicMetadata topic, string name) => topic.Error.Code switch
    {
        ErrorCode.UnknownTopicOrPart => string.Create(
            CultureInfo.InvariantCulture, $"there is no topic {name}: make it (kafka-topics.sh --create --topic {name} --partitions 16)"),
        ErrorCode.TopicAuthorizationFailed => $"the user may not use topic {name}: allow it with kafka-acls.sh",
        _ => $"topic {name}: {topic.Error.Reason}",
    };
}
