using System.Globalization;
using Confluent.Kafka;
using ConntrackStream.Sinks.Fleet;
using ConntrackStream.Sinks.Fleet.Collect;

namespace ConntrackStream.Kafka;

/// <summary>Reads partitions into flow logs. What is stored, and so committed, is behind messages whose lines are in files.</summary>
internal sealed class PartitionReader(
    IConsumer<byte[], byte[]> consumer, IReadOnlyList<TopicPartition> partitions, HostLogs hosts, CollectOptions collect, TimeProvider time,
    KafkaHealth health)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(200), Between = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ReleasePatience = TimeSpan.FromSeconds(1), LookEvery = TimeSpan.FromMinutes(1);

    private readonly Dictionary<TopicPartition, PartitionProgress> _progress =
        partitions.ToDictionary(static partition => partition, static _ => new PartitionProgress());
    private readonly HashSet<TopicPartition> _ended = []; // read to their ends
    private long _storedAt = time.GetTimestamp(), _lookedAt = time.GetTimestamp();

    /// <summary>Until cancelled, or nothing is left where that is asked for.</summary>
    /// <param name="count">Of all partitions of the topic: with another number hosts are in others.</param>
    /// <exception cref="KafkaException">A partition cannot be read.</exception>
    /// <exception cref="FleetFailureException">The client is of no use any more.</exception>
    internal async Task RunAsync(int count, CancellationToken end)
    {
        try
        {
            while (!collect.Once || _ended.Count < partitions.Count || hosts.HasHeld)
            {
                end.ThrowIfCancellationRequested();
                if (health.Lost.IsCancellationRequested)
                    throw new FleetFailureException(health.Reason ?? "the connection ended");
                if (collect.Once && health.Obstacle is { } obstacle) // brokers that come back are waited for otherwise
                    throw new FleetFailureException(obstacle);
                ConsumeResult<byte[], byte[]>? read = consumer.Consume(Poll);
                if (read is { IsPartitionEOF: true })
                    _ended.Add(read.TopicPartition);
                else if (read is not null)
                    await TakeAsync(read, end).ConfigureAwait(false);
                if (read is not { IsPartitionEOF: false } || time.GetElapsedTime(_storedAt) >= Between)
                    await SettleAsync(count, end).ConfigureAwait(false);
            }
        }
        finally
        {
            Store();
            using CancellationTokenSource patience = new(ReleasePatience, time);
            await hosts.ReleaseHeldAsync(patience.Token).ConfigureAwait(false);
        }
    }

    private async ValueTask TakeAsync(ConsumeResult<byte[], byte[]> read, CancellationToken end)
    {
        health.Works();
        _ended.Remove(read.TopicPartition);
        PartitionProgress progress = _progress[read.TopicPartition];
        progress.Read(read.Offset.Value);
        if (KafkaMessage.TryRead(read, progress, out string problem) is { } message)
        {
            await hosts.TakeAsync(message, end).ConfigureAwait(false);
            return;
        }

        hosts.Refuse(string.Create(CultureInfo.InvariantCulture, $"{read.Topic}[{read.Partition.Value}]@{read.Offset.Value}"), problem);
        progress.Done(read.Offset.Value);
    }

    private async ValueTask SettleAsync(int count, CancellationToken end)
    {
        await hosts.CheckMissingAsync(end).ConfigureAwait(false);
        if (time.GetElapsedTime(_storedAt) < Between && !collect.Once)
            return;
        _storedAt = time.GetTimestamp();
        Store();
        foreach ((TopicPartition partition, PartitionProgress progress) in _progress)
        {
            if (progress.TakeRewind() is not { } offset)
                continue;
            consumer.Seek(new TopicPartitionOffset(partition, offset));
            _ended.Remove(partition);
        }

        if (time.GetElapsedTime(_lookedAt) >= LookEvery)
            LookAtPartitions(count);
    }

    private void Store()
    {
        foreach ((TopicPartition partition, PartitionProgress progress) in _progress)
        {
            if (progress.Position is { } position)
                consumer.StoreOffset(new TopicPartitionOffset(partition, position));
        }
    }

    /// <summary>A topic that has grown is read by a new session.</summary>
    private void LookAtPartitions(int count)
    {
        _lookedAt = time.GetTimestamp();
        using IAdminClient admin = new DependentAdminClientBuilder(consumer.Handle).Build();
        int now;
        try
        {
            now = admin.GetMetadata(partitions[0].Topic, Between).Topics[0].Partitions.Count;
        }
        catch (KafkaException)
        {
            return; // brokers are away: the client goes on trying
        }

        if (now > count)
        {
            throw new FleetFailureException(string.Create(
                CultureInfo.InvariantCulture, $"topic {partitions[0].Topic} has {now} partitions now instead of {count}"));
        }
    }
}
