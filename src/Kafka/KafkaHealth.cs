using Confluent.Kafka;
using ConntrackStream.Sinks.Fleet;

namespace ConntrackStream.Kafka;

/// <summary>
/// What a client reports about its brokers. It goes on trying by itself, so a broker that is away is an obstacle; only what a new client
/// with files read again could cure loses it. Used from the client's threads and ours.
/// </summary>
internal sealed class KafkaHealth(ILogger logger) : IDisposable
{
    private readonly CancellationTokenSource _lost = new();
    private readonly Lock _gate = new();
    private bool _isRejected; // by the last broker that was tried: credentials, certificates
    private string? _last, _obstacle, _reason;

    /// <summary>Cancelled when the client is of no use any more.</summary>
    internal CancellationToken Lost => _lost.Token;

    /// <summary>Brokers have answered once: from then on it is logged when they no longer do.</summary>
    internal bool IsOpen { get; set; }

    /// <summary>Why it is of no use.</summary>
    internal string? Reason => Volatile.Read(ref _reason);

    /// <summary>Why nothing passes at the moment; null: it does.</summary>
    internal string? Obstacle => Volatile.Read(ref _obstacle);

    /// <summary>The last of what went wrong.</summary>
    internal string? Last => Volatile.Read(ref _last);

    /// <summary>A broker has ended a connection before it answered anything, which the client does not count as an error.</summary>
    internal bool IsTurnedAway { get; private set; }

    /// <summary>Of the client: a line of its log.</summary>
    internal void OnLine(LogMessage line)
    {
        logger.ClientSays(KafkaEngine.EngineName, line.Message);
        if (line.Facility != "FAIL")
            return;
        IsTurnedAway |= ClientWords.IsTurnedAway(line.Message);
        Volatile.Write(ref _last, ClientWords.Translate(line.Message));
    }

    /// <summary>Of the client.</summary>
    internal void OnError(Error error)
    {
        if (error.IsFatal)
        {
            Lose(ClientWords.Translate(error.Reason));
            return;
        }

        lock (_gate)
        {
            if (error.Code != ErrorCode.Local_AllBrokersDown)
            {
                _isRejected = error.Code is ErrorCode.Local_Authentication or ErrorCode.Local_Ssl or ErrorCode.SaslAuthenticationFailed;
                Volatile.Write(ref _last, ClientWords.Translate(error.Reason));
                if (!_isRejected || Obstacle is null)
                    return; // others may answer
            }
        }

        string reason = Last ?? "every connection to a broker has ended";
        if (_isRejected)
            Lose(reason);
        else if (Interlocked.Exchange(ref _obstacle, reason) is null && IsOpen)
            logger.Waits(KafkaEngine.EngineName, reason);
    }

    /// <summary>Something has passed.</summary>
    internal void Works()
    {
        if (_obstacle is null || Interlocked.Exchange(ref _obstacle, null) is null)
            return;
        Volatile.Write(ref _last, null);
        logger.Continues(KafkaEngine.EngineName);
    }

    internal void Lose(string reason)
    {
        Interlocked.CompareExchange(ref _reason, reason, null);
        try
        {
            _ = _lost.CancelAsync(); // its calls are not made on the client's thread
        }
        catch (ObjectDisposedException)
        {
            // It was ended meanwhile.
        }
    }

    public void Dispose() => _lost.Dispose();
}
