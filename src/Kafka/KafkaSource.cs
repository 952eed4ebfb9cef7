using System.Globalization;
using Confluent.Kafka;
using ConntrackStream.Sinks.Fleet;
using ConntrackStream.Sinks.Fleet.Collect;

namespace ConntrackStream.Kafka;

/// <summary>
/// Partitions of the topic, those of one share: a host is in one partition, so its records are in one hand. They are not given out by a
/// consumer group, which would move hosts between collectors and cut their files in two; the group keeps how far each partition is
/// collected.
/// </summary>
internal sealed class KafkaSource(KafkaOptions options, CollectOptions collect, TimeProvider time, ILogger logger) : ICollectSource
{
    private static readonly TimeSpan ClosePatience = TimeSpan.FromSeconds(2);

    public int Parts => 1;

    public void CheckFiles() => KafkaAccess.Read(options, collect.Name);

    public async Task ReadAsync(IReadOnlyList<HostLogs> parts, Action begun, CancellationToken end)
    {
        using KafkaHealth health = new(logger);
        IConsumer<byte[], byte[]> consumer = NewConsumer(health);
        try
        {
            (TopicMetadata topic, string broker) =
                await TopicMetadataReader.ReadAsync(consumer.Handle, options, health, time, end).ConfigureAwait(false);
            TopicPartition[] own =
            [
                .. topic.Partitions.Where(partition => partition.PartitionId % collect.Parts == collect.Part - 1)
                    .Select(partition => new TopicPartition(options.Topic, partition.PartitionId)),
            ];
            if (own.Length == 0)
            {
                throw new FleetFailureException(string.Create(
                    CultureInfo.InvariantCulture,
                    $"topic {options.Topic} has {topic.Partitions.Count} partitions, none for share {collect.Part}/{collect.Parts}"));
            }

            consumer.Assign(own); // from where the group has committed
            begun();
            logger.CollectingPartitions(own.Length, topic.Partitions.Count, options.Topic, broker);
            PartitionReader reader = new(consumer, own, parts[0], collect, time, health);
            await Task.Run(() => reader.RunAsync(topic.Partitions.Count, end), CancellationToken.None).ConfigureAwait(false);
        }
        catch (KafkaException e)
        {
            throw new FleetFailureException(health.Reason ?? e.Error.Reason, e);
        }
        finally
        {
            // Commits what is stored, and waits up to 45 s for a broker that is away: then it is read again.
            await Task.Run(() => Close(consumer), CancellationToken.None).WaitAsync(ClosePatience, time, CancellationToken.None)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static void Close(IConsumer<byte[], byte[]> consumer)
    {
        consumer.Close();
        consumer.Dispose();
    }

    private IConsumer<byte[], byte[]> NewConsumer(KafkaHealth health)
    {
        try
        {
            return new ConsumerBuilder<byte[], byte[]>(KafkaAccess.ReadConsumer(options, collect.Name))
                .SetErrorHandler((_, error) => health.OnError(error))
                .SetLogHandler((_, line) => health.OnLine(line))
                .Build();
        }
        catch (Exception e) when (KafkaLink.IsRefusal(e))
        {
            throw new FleetFailureException($"the client cannot be made: {ClientWords.Translate(e.Message)}", e);
        }
    }
}
