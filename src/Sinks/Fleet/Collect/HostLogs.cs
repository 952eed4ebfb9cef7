using ConntrackStream.Pipeline.Files;

namespace ConntrackStream.Sinks.Fleet.Collect;

/// <summary>The flow logs of the hosts of one part. Used by one task at a time.</summary>
internal sealed class HostLogs(
    OwnedDirectory directory, CollectOptions options, CollectCounters counters, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    private const int MostOpen = 512; // hosts

    private readonly Dictionary<string, HostLog> _hosts = new(StringComparer.Ordinal);

    /// <summary>Messages wait for others before them.</summary>
    internal bool HasHeld => _hosts.Values.Any(static host => !host.IsIdle);

    /// <inheritdoc cref="HostLog.TakeAsync"/>
    internal async ValueTask TakeAsync(CollectedMessage message, CancellationToken cancellation) =>
        await (await HostOfAsync(message.Host).ConfigureAwait(false)).TakeAsync(message, cancellation).ConfigureAwait(false);

    /// <summary>Counts a message that no node of ours has sent so; one line in the log for the first, second, fourth, eighth …</summary>
    /// <param name="place">Where it was.</param>
    internal void Refuse(string place, string problem)
    {
        counters.AddMalformed();
        if (long.IsPow2(counters.Malformed))
            logger.Malformed(place, problem, counters.Malformed);
    }

    /// <inheritdoc cref="HostLog.CheckMissingAsync"/>
    internal async ValueTask CheckMissingAsync(CancellationToken cancellation)
    {
        foreach (HostLog host in _hosts.Values)
            await host.CheckMissingAsync(cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc cref="HostLog.ReleaseHeldAsync"/>
    internal async ValueTask ReleaseHeldAsync(CancellationToken cancellation)
    {
        foreach (HostLog host in _hosts.Values)
            await host.ReleaseHeldAsync(cancellation).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (HostLog host in _hosts.Values)
            await host.DisposeAsync().ConfigureAwait(false);
        _hosts.Clear();
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
