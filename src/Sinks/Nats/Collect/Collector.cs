using ConntrackStream.EventTap;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Pipeline.Files;
using NATS.Client.JetStream;

namespace ConntrackStream.Sinks.Nats.Collect;

/// <summary>
/// Reads the stream and writes flow logs, one file for each host. A message is acknowledged when write(2) has taken its lines; what a kill
/// leaves unacknowledged is delivered again, and the sequence numbers tell what is there already.
/// </summary>
internal sealed class Collector(NatsOptions options, CollectOptions collect, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1), LongestWait = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan HealthyAfter = TimeSpan.FromSeconds(10);

    internal CollectCounters Counters { get; } = new();

    /// <summary>Until cancelled; or, with <see cref="CollectOptions.Once"/>, until nothing is left.</summary>
    /// <exception cref="IOException">The directory or a file in it cannot be used.</exception>
    internal async Task RunAsync(CancellationToken cancellation)
    {
        NatsAccess.Read(options, collect.Name); // a file that cannot be used ends the start
        if (!Directory.Exists(collect.Directory))
            throw new SettingFaultException($"--directory: {collect.Directory} does not exist; create it, or name another one");
        using OwnedDirectory directory = OwnedDirectory.Open(collect.Directory);
        ShareWorker[] workers =
            [.. collect.Shares.Select(share => new ShareWorker(share, directory, collect, Counters, time, logger))];
        Backoff backoff = new(FirstWait, LongestWait) { BeginsAtOnce = true, Jitter = 0.25 };
        RepeatedSession<NatsFailureException> sessions = new(
            backoff, HealthyAfter, time,
            (wait, failure) => logger.NotCollecting(Math.Round(wait.TotalSeconds, 1), failure.Message));
        try
        {
            await sessions.RunAsync(end => SessionAsync(sessions, workers, end), cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // The end.
        }
        finally
        {
            foreach (ShareWorker worker in workers)
                await worker.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async ValueTask SessionAsync(
        RepeatedSession<NatsFailureException> sessions, ShareWorker[] workers, CancellationToken end)
    {
        NatsLink link = await NatsLink.OpenAsync(options, $"conntrack-stream {collect.Name}", time, end).ConfigureAwait(false);
        await using (link.ConfigureAwait(false))
        {
            using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(end, link.Lost);
            try
            {
                List<INatsJSConsumer> consumers = [];
                foreach (ShareWorker worker in workers)
                {
                    consumers.Add(await StreamSetup.ConsumerAsync(link, options, collect, worker.Share, logger, ended.Token)
                        .ConfigureAwait(false));
                }

                sessions.Begun();
                logger.Collecting(workers.Length, consumers[0].Info.StreamName, link.Server);
                await RunWorkersAsync(workers, consumers, ended).ConfigureAwait(false);
            }
            catch (Exception e) when (IsFailure(e) && !end.IsCancellationRequested)
            {
                throw e as NatsFailureException ?? new NatsFailureException(
                    e is OperationCanceledException ? link.Reason ?? "the connection ended" : NatsLink.Describe(e, link.Reason), e);
            }
        }
    }

    /// <summary>All at once; where one fails, the others end, too.</summary>
    private static async Task RunWorkersAsync(ShareWorker[] workers, List<INatsJSConsumer> consumers, CancellationTokenSource ended)
    {
        List<Task> running = [.. workers.Zip(consumers, (worker, consumer) => worker.RunAsync(consumer, ended.Token))];
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
        error is NatsFailureException or NATS.Client.Core.NatsException or OperationCanceledException or TimeoutException;
}
