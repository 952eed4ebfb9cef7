using ConntrackStream.Sinks.Fleet;
using ConntrackStream.Sinks.Fleet.Collect;
using NATS.Client.Core;
using NATS.Client.JetStream;

namespace ConntrackStream.Sinks.Nats.Collect;

/// <summary>A stream of NATS JetStream, by one durable consumer for each sixteenth of the hosts.</summary>
/// <param name="newStream">What to make when no stream takes the subjects; null: nothing.</param>
internal sealed class NatsSource(
    NatsOptions options, CollectOptions collect, NewStream? newStream, TimeProvider time, ILogger logger) : ICollectSource
{
    private readonly IReadOnlyList<char> _shares =
        [.. "0123456789abcdef".Where((_, index) => index % collect.Parts == collect.Part - 1)];

    private bool _isCompared; // the stream with the one that was to be made; said once

    public int Parts => _shares.Count;

    public void CheckFiles() => NatsAccess.Read(options, collect.Name);

    public async Task ReadAsync(IReadOnlyList<HostLogs> parts, Action begun, CancellationToken end)
    {
        NatsLink link = await NatsLink.OpenAsync(options, $"conntrack-stream {collect.Name}", time, end).ConfigureAwait(false);
        await using (link.ConfigureAwait(false))
        {
            using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(end, link.Lost);
            try
            {
                List<INatsJSConsumer> consumers = [];
                foreach (char share in _shares)
                {
                    consumers.Add(await StreamSetup.ConsumerAsync(link, options, collect.Name, newStream, share, logger, ended.Token)
                        .ConfigureAwait(false));
                }

                if (newStream is not null && !_isCompared)
                {
                    await StreamSetup.CompareAsync(link, consumers[0].Info.StreamName, newStream, logger, ended.Token)
                        .ConfigureAwait(false);
                    _isCompared = true;
                }

                begun();
                logger.Collecting(_shares.Count, consumers[0].Info.StreamName, link.Server);
                await RunWorkersAsync(parts, consumers, ended).ConfigureAwait(false);
            }
            catch (Exception e) when (IsFailure(e) && !end.IsCancellationRequested)
            {
                throw e as FleetFailureException ?? new FleetFailureException(
                    e is OperationCanceledException ? link.Reason ?? "the connection ended" : NatsLink.Describe(e, link.Reason), e);
            }
        }
    }

    /// <summary>All at once; where one fails, the others end, too.</summary>
    private async Task RunWorkersAsync(
        IReadOnlyList<HostLogs> parts, List<INatsJSConsumer> consumers, CancellationTokenSource ended)
    {
        List<Task> running =
            [.. parts.Zip(consumers, (hosts, consumer) => new ShareWorker(hosts, collect, time).RunAsync(consumer, ended.Token))];
        Task first = await Task.WhenAny(Task.WhenAll(running), FirstFailureAsync(running)).ConfigureAwait(false);
        if (first.IsFaulted || first.IsCanceled)
            await ended.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await first.ConfigureAwait(false);
    }

    private static async Task FirstFailureAsync(List<Task> running)
    {
        List<Task> left = [.. running];
        while (left.Count > 0)
        {
            Task ended = await Task.WhenAny(left).ConfigureAwait(false);
            left.Remove(ended);
            await ended.ConfigureAwait(false);
        }
    }

    private static bool IsFailure(Exception error) =>
        error is FleetFailureException or NatsException or OperationCanceledException or TimeoutException;
}
