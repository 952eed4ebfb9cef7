using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Service.Demo.Race;

/// <summary>
/// <c>demo race</c>: the agent's snapshot algorithm, the same with two misses, and this service's delete stage over the same connections.
/// </summary>
/// <param name="report">What it says while it runs; from any thread.</param>
internal sealed class CleanerRace(RaceOptions options, Action<string> report, TimeProvider time)
{
    /// <summary>Runs all three to the end; everything is taken down by then, whatever happens.</summary>
    /// <exception cref="PlatformNotSupportedException">The kernel has no tcx.</exception>
    /// <exception cref="NetlinkException">A namespace could not be made; EPERM: not permitted.</exception>
    /// <exception cref="FlowMapException">Map or gate could not be made; EPERM: not permitted.</exception>
    /// <exception cref="IOException">A connection could not be made.</exception>
    internal Task<RaceResult[]> RunAsync(CancellationToken cancellationToken) =>
        RunAsync([AgentCleaner.Snapshot(time), AgentCleaner.TwoMiss(time), new OurCleaner(time)], cancellationToken);

    internal async Task<RaceResult[]> RunAsync(IReadOnlyList<IRaceCleaner> cleaners, CancellationToken cancellationToken)
    {
        using CancellationTokenSource others = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        return await Task.WhenAll(cleaners.Select(cleaner => Task.Run(() => RunAsync(cleaner, others), CancellationToken.None)));
    }

    /// <summary>Whether a cleaner did its job and harmed nobody.</summary>
    internal static bool IsRight(RaceResult result) => result.Cut == 0 && result.StaleRemoved == result.Stale;

    private async Task<RaceResult> RunAsync(IRaceCleaner cleaner, CancellationTokenSource others)
    {
        try
        {
            await using RaceLane lane = new(cleaner, options, report, time);
            return await lane.RunAsync(others.Token);
        }
        catch
        {
            await others.CancelAsync(); // one that fails makes the race void
            throw;
        }
    }
}
