using System.Globalization;
using ConntrackStream.Sinks.Fleet;
using NATS.Client.JetStream;
using NATS.Client.JetStream.Models;

namespace ConntrackStream.Sinks.Nats.Collect;

/// <summary>Finds or makes the stream and its durable consumers.</summary>
internal static class StreamSetup
{
    /// <summary>For an acknowledgement, before the stream delivers a message again.</summary>
    private static readonly TimeSpan AcknowledgeWait = TimeSpan.FromSeconds(10);

    private const int MostUnacknowledged = 2000; // messages of one consumer

    /// <summary>The stream that takes a share's subjects.</summary>
    /// <exception cref="FleetFailureException">There is none, and none is to be made.</exception>
    private static async Task<string> FindAsync(
        NatsLink link, NatsOptions options, NewStream? newStream, char share, ILogger logger, CancellationToken cancellation)
    {
        string subjects = SubjectsOf(options, share);
        await foreach (string name in link.JetStream.ListStreamNamesAsync(subjects, cancellation).ConfigureAwait(false))
            return name;
        if (newStream is not { } wanted)
            throw new FleetFailureException($"no stream of server {link.Server} takes {subjects}: --create-stream makes one");
        string all = $"{options.Subject}.>";
        StreamConfig config = wanted.ToConfig(all);
        await link.JetStream.CreateStreamAsync(config, cancellation).ConfigureAwait(false);
        logger.StreamMade(config.Name!, config.NumReplicas, all);
        return config.Name!;
    }

    /// <summary>Logs where a stream that exists is not as it was to be made.</summary>
    internal static async Task CompareAsync(
        NatsLink link, string name, NewStream wanted, ILogger logger, CancellationToken cancellation)
    {
        INatsJSStream stream = await link.JetStream.GetStreamAsync(name, cancellationToken: cancellation).ConfigureAwait(false);
        if (wanted.Differences(stream.Info.Config) is var (has, remedy))
            logger.StreamLeft(name, has, remedy);
    }

    /// <summary>The consumer of a share, made if it is missing; it outlives the collector and knows what was acknowledged.</summary>
    /// <exception cref="FleetFailureException">There is no stream for it.</exception>
    internal static async Task<INatsJSConsumer> ConsumerAsync(
        NatsLink link, NatsOptions options, string name, NewStream? newStream, char share, ILogger logger,
        CancellationToken cancellation)
    {
        string stream = await FindAsync(link, options, newStream, share, logger, cancellation).ConfigureAwait(false);
        ConsumerConfig config = new(string.Create(CultureInfo.InvariantCulture, $"{name}-{share}"))
        {
            FilterSubject = SubjectsOf(options, share),
            AckPolicy = ConsumerConfigAckPolicy.Explicit,
            AckWait = AcknowledgeWait,
            MaxAckPending = MostUnacknowledged,
        };
        return await link.JetStream.CreateOrUpdateConsumerAsync(stream, config, cancellation).ConfigureAwait(false);
    }

    private static string SubjectsOf(NatsOptions options, char share) => $"{options.Subject}.{share}.>";
}
