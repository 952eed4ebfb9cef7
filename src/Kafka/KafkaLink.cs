using System.Text;
using Confluent.Kafka;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Sinks.Fleet;
using ConntrackStream.Sinks.Fleet.Spool;

namespace ConntrackStream.Kafka;

/// <summary>One producer: while it lives it sends again by itself what was not acknowledged, and the brokers store that once.</summary>
internal sealed class KafkaLink : IFleetLink
{
    private static readonly TimeSpan ClosePatience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RetryRoom = TimeSpan.FromMilliseconds(50);

    private readonly KafkaOptions _options;
    private readonly IProducer<byte[], byte[]> _producer;
    private readonly KafkaHealth _health;
    private readonly TimeProvider _time;
    private readonly byte[] _key;
    private readonly string _hostToken;
    private readonly ITimer _retry;
    private readonly Lock _gate = new(); // the order in which messages are handed to the client
    private readonly Queue<Attempt> _waiting = []; // for room in the client's own queue

    private KafkaLink(
        KafkaOptions options, string host, IReadOnlyDictionary<string, string> settings, TimeProvider time, ILogger logger)
    {
        ProducerConfig config = KafkaAccess.ReadProducer(options, $"conntrack-stream {host}");
        foreach ((string key, string value) in settings)
            config.Set(key, value);
        (_options, _time) = (options, time);
        (_key, _hostToken) = (Encoding.UTF8.GetBytes(host), HostToken.Of(host));
        _health = new KafkaHealth(logger);
        _producer = new ProducerBuilder<byte[], byte[]>(config)
            .SetErrorHandler((_, error) => _health.OnError(error))
            .SetLogHandler((_, line) => _health.OnLine(line))
            .Build();
        _retry = time.CreateTimer(
            static self => ((KafkaLink)self!).ProduceWaiting(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public string Server { get; private set; } = "";

    public CancellationToken Lost => _health.Lost;

    public string? Reason => _health.Reason;

    public string? Obstacle => _health.Obstacle;

    /// <summary>How many messages wait for room in the client's queue.</summary>
    internal int Waiting
    {
        get
        {
            lock (_gate)
                return _waiting.Count;
        }
    }

    /// <param name="settings">Of the client, besides those of the options.</param>
    /// <exception cref="FleetFailureException">No broker answers, or the topic cannot be used.</exception>
    internal static async Task<IFleetLink> OpenAsync(
        KafkaOptions options, string host, IReadOnlyDictionary<string, string> settings, TimeProvider time, ILogger logger,
        CancellationToken cancellation)
    {
        KafkaLink link;
        try
        {
            link = new KafkaLink(options, host, settings, time, logger);
        }
        catch (Exception e) when (IsRefusal(e))
        {
            throw new FleetFailureException($"the client cannot be made: {ClientWords.Translate(e.Message)}", e);
        }

        try
        {
            (_, link.Server) = await TopicMetadataReader.ReadAsync(link._producer.Handle, options, link._health, time, cancellation)
                .ConfigureAwait(false);
            return link;
        }
        catch
        {
            await link.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>What a client throws whose settings or files it does not take.</summary>
    internal static bool IsRefusal(Exception error) =>
        error is InvalidOperationException or ArgumentException or KafkaException or ConfigurationException or DllNotFoundException;

    public Task<SendResult> SendAsync(Message message, CancellationToken ended)
    {
        Attempt attempt = new(message, _key, _hostToken);
        attempt.EndWith(ended, _health);
        lock (_gate)
        {
            if (_waiting.Count > 0 || !TryProduce(attempt))
                Park(attempt);
        }

        return attempt.Task;
    }

    public void GiveWay()
    {
        if (Obstacle is { } obstacle)
            _health.Lose($"{obstacle}; files are read again");
    }

    public async ValueTask DisposeAsync()
    {
        await _retry.DisposeAsync().ConfigureAwait(false);
        lock (_gate)
            _waiting.Clear();
        // What is still in the client's queue is dropped with it; brokers that are away may hold that up.
        await Task.Run(_producer.Dispose).WaitAsync(ClosePatience, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _health.Dispose();
    }

    private void Park(Attempt attempt)
    {
        _waiting.Enqueue(attempt);
        _retry.Change(RetryRoom, Timeout.InfiniteTimeSpan);
    }

    /// <summary>In order; called whenever a message has left the client's queue, and by the timer.</summary>
    private void ProduceWaiting()
    {
        lock (_gate)
        {
            while (_waiting.TryPeek(out Attempt? next) && (next.Task.IsCompleted || TryProduce(next)))
                _waiting.Dequeue();
            if (_waiting.Count > 0)
                _retry.Change(RetryRoom, Timeout.InfiniteTimeSpan);
        }
    }

    /// <returns>False: the client's queue has no room.</returns>
    private bool TryProduce(Attempt attempt)
    {
        try
        {
            _producer.Produce(_options.Topic, attempt.Content, report => OnReported(attempt, report));
        }
        catch (ProduceException<byte[], byte[]> e) when (e.Error.Code == ErrorCode.Local_QueueFull)
        {
            return false;
        }
        catch (KafkaException e)
        {
            attempt.Complete(new SendResult(SendOutcome.Refused, Describe(e.Error)));
        }

        return true;
    }

    /// <summary>By the client's thread.</summary>
    private void OnReported(Attempt attempt, DeliveryReport<byte[], byte[]> report)
    {
        if (report.Error.IsError)
        {
            bool isRefused = report.Status == PersistenceStatus.NotPersisted && !report.Error.IsLocalError;
            attempt.Complete(new SendResult(isRefused ? SendOutcome.Refused : SendOutcome.Unanswered, Describe(report.Error)));
        }
        else
        {
            _health.Works();
            attempt.Complete(new SendResult(SendOutcome.Stored));
        }

        ProduceWaiting();
    }

    private string Describe(Error error) => error.Code switch
    {
        ErrorCode.Local_MsgTimedOut =>
            $"no broker has acknowledged within {KafkaAccess.Section}:DeliveryTimeout{(_health.Last is { } last ? $": {last}" : "")}",
        ErrorCode.MsgSizeTooLarge =>
            $"the topic's max.message.bytes is too small; raise it to 1 MiB, or lower {KafkaAccess.Section}:MaxRecords",
        ErrorCode.TopicAuthorizationFailed => $"the user may not write to topic {_options.Topic}: allow it with kafka-acls.sh",
        ErrorCode.NotEnoughReplicas or ErrorCode.NotEnoughReplicasAfterAppend =>
            $"topic {_options.Topic} has fewer replicas in sync than its min.insync.replicas: see to its brokers",
        _ => error.Reason,
    };
}
