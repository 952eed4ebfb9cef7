using ConntrackStream.EventTap;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Pipeline.Files;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.Fleet.Collect;

/// <summary>
/// Reads the messages of many nodes and writes flow logs, one file for each host. A message is acknowledged when write(2) has taken its
/// lines; what a kill leaves unacknowledged is delivered again, and the sequence numbers tell what is there already.
/// </summary>
internal sealed class Collector(ICollectSource source, CollectOptions collect, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1), LongestWait = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan HealthyAfter = TimeSpan.FromSeconds(10);

    /// <summary>With <see cref="CollectOptions.Once"/>, attempts in a row that bring nothing.</summary>
    private const int MostAttempts = 3;

    internal CollectCounters Counters { get; } = new();

    /// <summary>Until cancelled; or, with <see cref="CollectOptions.Once"/>, until nothing is left, or the stream cannot be read.</summary>
    /// <returns>Why it has ended before that; null where it has not.</returns>
    /// <exception cref="IOException">The directory or a file in it cannot be used.</exception>
    internal async Task<string?> RunAsync(CancellationToken cancellation)
    {
        source.CheckFiles(); // one that cannot be used ends the start
        if (!Directory.Exists(collect.Directory))
            throw new SettingFaultException($"--directory: {collect.Directory} does not exist; create it, or name another one");
        using OwnedDirectory directory = OwnedDirectory.Open(collect.Directory);
        HostLogs[] parts =
            [.. Enumerable.Range(0, source.Parts).Select(_ => new HostLogs(directory, collect, Counters, time, logger))];
        Backoff backoff = new(FirstWait, LongestWait) { BeginsAtOnce = true, Jitter = 0.25 };
        RepeatedSession<FleetFailureException> sessions = new(
            backoff, HealthyAfter, time,
            (wait, failure) => logger.NotCollecting(WaitText.Of(wait), failure.Message));
        string? failure = null;
        int attempts = 0;
        try
        {
            await sessions.RunAsync(ReadAsync, cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // The end.
        }
        finally
        {
            foreach (HostLogs part in parts)
                await part.DisposeAsync().ConfigureAwait(false);
        }

        return failure;

        async ValueTask ReadAsync(CancellationToken end)
        {
            long before = Counters.Read;
            try
            {
                await source.ReadAsync(parts, sessions.Begun, end).ConfigureAwait(false);
            }
            catch (FleetFailureException e) when (collect.Once)
            {
                attempts = Counters.Read > before ? 1 : attempts + 1;
                if (attempts < MostAttempts)
                    throw;
                failure = e.Message;
            }
        }
    }
}
