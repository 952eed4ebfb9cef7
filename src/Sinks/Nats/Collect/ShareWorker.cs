using ConntrackStream.Pipeline.Files;
using NATS.Client.Core;
using NATS.Client.JetStream;

namespace ConntrackStream.Sinks.Nats.Collect;

/// <summary>Collects the hosts of one share, by one task: each host belongs to one share, so its messages are in one hand.</summary>
internal sealed class ShareWorker(
    char share, OwnedDirectory directory, CollectOptions options, CollectCounters counters, TimeProvider time, ILogger logger)
    : IAsyncDisposable
{
    private const int MostOpen = 512; // hosts
    private const int Fetched = 200; // messages at a time

    private static readonly TimeSpan FetchTime = TimeSpan.FromSeconds(2), ReleasePatience = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, HostLog> _hosts = new(StringComparer.Ordinal);

    internal char Share => share;

    /// <summary>Messages wait for others before them.</summary>
    private bool HasHeld => _hosts.Values.Any(static host => !host.IsIdle);

    /// <summary>Until the connection ends, or nothing is left where that is asked for.</summary>
    internal async Task RunAsync(INatsJSConsumer consumer, CancellationToken cancellation)
    {
        try
        {
            bool hasAny = true;
            while (hasAny || !options.Once || HasHeld)
            {
                cancellation.ThrowIfCancellationRequested();
                hasAny = await FetchAsync(consumer, cancellation).ConfigureAwait(false);
                foreach (HostLog host in _hosts.Values)
                    await host.CheckMissingAsync(cancellation).ConfigureAwait(false);
            }
        }
        finally
        {
            using CancellationTokenSource patience = new(ReleasePatience, time); // for a server that may be away
            foreach (HostLog host in _hosts.Values)
                await host.ReleaseHeldAsync(patience.Token).ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (HostLog host in _hosts.Values)
            await host.DisposeAsync().ConfigureAwait(false);
        _hosts.Clear();
    }

    /// <returns>Something came.</returns>
    private async Task<bool> FetchAsync(INatsJSConsumer consumer, CancellationToken cancellation)
    {
        bool hasAny = false;
        NatsJSFetchOpts fetch = new() { MaxMsgs = Fetched, Expires = FetchTime };
        bool waits = !options.Once || HasHeld;
        IAsyncEnumerable<INatsJSMsg<NatsMemoryOwner<byte>>> messages = waits
            ? consumer.FetchAsync<NatsMemoryOwner<byte>>(fetch, cancellationToken: cancellation)
            : consumer.FetchNoWaitAsync<NatsMemoryOwner<byte>>(fetch, cancellationToken: cancellation);
        await foreach (INatsJSMsg<NatsMemoryOwner<byte>> message in messages.ConfigureAwait(false))
        {
            hasAny = true;
            if (CollectedMessage.TryRead(message, out string problem) is { } read)
                await (await HostOfAsync(read.Host).ConfigureAwait(false)).TakeAsync(read, cancellation).ConfigureAwait(false);
            else
                await RefuseAsync(message, problem, cancellation).ConfigureAwait(false);
        }

        return hasAny;
    }

    private async ValueTask RefuseAsync(INatsJSMsg<NatsMemoryOwner<byte>> message, string problem, CancellationToken cancellation)
    {
        counters.AddMalformed();
        if (long.IsPow2(counters.Malformed)) // one line for the first, second, fourth, eighth …
            logger.Malformed(message.Subject, problem, counters.Malformed);
        await message.AckTerminateAsync(cancellationToken: cancellation).ConfigureAwait(false);
    }

    private async ValueTask<HostLog> HostOfAsync(string host)
    {
        if (_hosts.TryGetValue(host, out HostLog? known))
            return known;
        if (_hosts.Count >= MostOpen && _hosts.Values.Where(static open => open.IsIdle).MinBy(static open => open.UsedAt) is { } oldest)
        {
            _hosts.Remove(oldest.Host);
            await oldest.DisposeAsync().ConfigureAwait(false);
        }

        HostLog opened = new(host, directory, options, counters, time, logger);
        _hosts.Add(host, opened);
        return opened;
    }
}
