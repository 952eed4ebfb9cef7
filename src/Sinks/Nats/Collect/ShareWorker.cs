using ConntrackStream.Sinks.Fleet.Collect;
using NATS.Client.Core;
using NATS.Client.JetStream;

namespace ConntrackStream.Sinks.Nats.Collect;

/// <summary>Collects the hosts of one share, by one task: each host belongs to one share, so its messages are in one hand.</summary>
internal sealed class ShareWorker(HostLogs hosts, CollectOptions options, TimeProvider time)
{
    private const int Fetched = 200; // messages at a time

    private static readonly TimeSpan FetchTime = TimeSpan.FromSeconds(2), ReleasePatience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(50);

    /// <summary>Until the connection ends, or, where that is asked for, nothing is left, nor delivered and not acknowledged.</summary>
    internal async Task RunAsync(INatsJSConsumer consumer, CancellationToken cancellation)
    {
        try
        {
            bool isLeft = true;
            while (isLeft)
            {
                cancellation.ThrowIfCancellationRequested();
                bool hasAny = await FetchAsync(consumer, cancellation).ConfigureAwait(false);
                await hosts.CheckMissingAsync(cancellation).ConfigureAwait(false);
                isLeft = !options.Once || hasAny || hosts.HasHeld || await IsLeftAsync(consumer, cancellation).ConfigureAwait(false);
            }
        }
        finally
        {
            using CancellationTokenSource patience = new(ReleasePatience, time); // for a server that may be away
            await hosts.ReleaseHeldAsync(patience.Token).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// What was given back, or delivered to a connection that has ended, comes again after a while: only the server knows of it.
    /// </summary>
    private async Task<bool> IsLeftAsync(INatsJSConsumer consumer, CancellationToken cancellation)
    {
        await consumer.RefreshAsync(cancellation).ConfigureAwait(false);
        bool isLeft = consumer.Info is { NumPending: > 0 } or { NumAckPending: > 0 };
        if (isLeft)
            await Task.Delay(LookAgain, time, cancellation).ConfigureAwait(false);
        return isLeft;
    }

    /// <returns>Something came.</returns>
    private async Task<bool> FetchAsync(INatsJSConsumer consumer, CancellationToken cancellation)
    {
        bool hasAny = false;
        NatsJSFetchOpts fetch = new() { MaxMsgs = Fetched, Expires = FetchTime };
        bool waits = !options.Once || hosts.HasHeld;
        IAsyncEnumerable<INatsJSMsg<NatsMemoryOwner<byte>>> messages = waits
            ? consumer.FetchAsync<NatsMemoryOwner<byte>>(fetch, cancellationToken: cancellation)
            : consumer.FetchNoWaitAsync<NatsMemoryOwner<byte>>(fetch, cancellationToken: cancellation);
        await foreach (INatsJSMsg<NatsMemoryOwner<byte>> message in messages.ConfigureAwait(false))
        {
            hasAny = true;
            if (NatsMessage.TryRead(message, out string problem) is { } read)
            {
                await hosts.TakeAsync(read, cancellation).ConfigureAwait(false);
            }
            else
            {
                hosts.Refuse(message.Subject, problem);
                await message.AckTerminateAsync(cancellationToken: cancellation).ConfigureAwait(false);
            }
        }

        return hasAny;
    }
}
