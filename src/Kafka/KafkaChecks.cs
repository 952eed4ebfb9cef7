using System.Globalization;
using Confluent.Kafka;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Sinks.Fleet;

namespace ConntrackStream.Kafka;

/// <summary>Lines of <c>doctor</c> about Kafka: can it be reached, and is the topic there?</summary>
internal static class KafkaChecks
{
    internal static async Task<IEnumerable<CheckResult>> RunAsync(
        KafkaOptions options, string host, TimeProvider time, ILogger logger, CancellationToken cancellation)
    {
        List<CheckResult> results = [.. FleetSecrets.Warnings(KafkaEngine.EngineName, [options.PasswordFile, options.Tls.KeyFile])];
        results.Add(await Task.Run(() => OfTopic(options, host, time, logger, cancellation), cancellation).ConfigureAwait(false));
        return results;
    }

    /// <summary>All topics are asked for: to ask for one may make it.</summary>
    private static CheckResult OfTopic(
        KafkaOptions options, string host, TimeProvider time, ILogger logger, CancellationToken cancellation)
    {
        using KafkaHealth health = new(logger);
        try
        {
            using IAdminClient admin = new AdminClientBuilder(KafkaAccess.Read(options, $"conntrack-stream doctor {host}"))
                .SetErrorHandler((_, error) => health.OnError(error))
                .SetLogHandler((_, line) => health.OnLine(line))
                .Build();
            Metadata metadata = TopicMetadataReader.Ask(admin.GetMetadata, options, health, time, cancellation);
            return OfTopic(metadata.Topics.Find(topic => topic.Topic == options.Topic), options.Topic, metadata);
        }
        catch (ConfigurationException e)
        {
            return CheckResult.Fail(KafkaEngine.EngineName, e.Message, "correct the file, or the key that names it");
        }
        catch (FleetFailureException e)
        {
            return CheckResult.Fail(
                KafkaEngine.EngineName, e.Message,
                $"start the broker, or correct {KafkaAccess.Section}; meanwhile records gather in the spool");
        }
        catch (Exception e) when (KafkaLink.IsRefusal(e))
        {
            return CheckResult.Fail(
                KafkaEngine.EngineName, $"the client cannot be made: {ClientWords.Translate(e.Message)}",
                "correct the file or key that is named");
        }
    }

    private static CheckResult OfTopic(TopicMetadata? topic, string name, Metadata metadata)
    {
        string broker = metadata.OriginatingBrokerName;
        if (topic is null || topic.Error.IsError)
        {
            return CheckResult.Fail(
                KafkaEngine.EngineName, $"broker {broker} shows no topic {name}{(topic is null ? "" : $": {topic.Error.Reason}")}",
                $"make it (kafka-topics.sh --create --topic {name} --partitions 16), and let the user use it");
        }

        int replicas = topic.Partitions.Min(static partition => partition.Replicas.Length);
        string finding = string.Create(
            CultureInfo.InvariantCulture,
            $"topic {name} of broker {broker} has {topic.Partitions.Count} partitions with {replicas} replicas or more");
        return replicas < 2 && metadata.Brokers.Count > 1
            ? CheckResult.Warn(
                KafkaEngine.EngineName, $"{finding}; what one broker has is lost with it",
                "give the topic 3 replicas and min.insync.replicas=2")
            : CheckResult.Ok(KafkaEngine.EngineName, finding);
    }
}
