using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Service.Demo;

/// <summary>
/// <c>demo</c>: the whole job on real flows in namespaces of its own, then the proof: how many flows were made, how many records say so,
/// and whether the live view equals the kernel's table, and what became of an eBPF map with stale entries; at last, flows on the wrong
/// uplink. What it tells goes to standard error; standard output has the records alone.
/// </summary>
/// <param name="watcher">The service's own tap, view and flow log.</param>
/// <param name="uplinks">The second part.</param>
/// <param name="report">Standard error.</param>
/// <param name="time">Times the limits.</param>
internal sealed class DemoVerb(DemoWatcher watcher, UplinkDemo uplinks, TextWriter report, TimeProvider time)
{
    /// <summary>Ended flows leave the table within about two seconds; with this the whole stays far below half a minute.</summary>
    private static readonly TimeSpan SettlePatience = TimeSpan.FromSeconds(10);

    /// <summary>The last grace and window of the map's entries take half a second.</summary>
    private static readonly TimeSpan CleanPatience = TimeSpan.FromSeconds(5);

    /// <summary>Runs the demo.</summary>
    /// <returns>
    /// True when every flow was recorded, the view equals the kernel, the map has the entries of live flows and no other, and flows on the
    /// wrong uplink were moved.
    /// </returns>
    /// <exception cref="NetlinkException">The environment could not be made; EPERM: not permitted.</exception>
    /// <exception cref="IOException">A flow could not be made.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; everything is taken down by then.</exception>
    internal async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        long start = time.GetTimestamp();
        using DemoScenario scenario = DemoScenario.Create(time);
        await report.WriteLineAsync(
            "demo: a client, a gateway that tracks and translates, and a server, in network namespaces of their own");
        using DemoMap? map = await TryMakeMapAsync(scenario);
        map?.AddOpen(scenario.Plan);
        await watcher.StartAsync(scenario.Gateway, map, cancellationToken);
        map?.AddEnding(scenario.Plan); // an agent's hook sees a packet before its flow is confirmed
        await scenario.RunTrafficAsync(cancellationToken);
        bool settled = await scenario.SettleAsync(SettlePatience, cancellationToken);
        DemoComparison comparison = await watcher.CompareAsync(cancellationToken);
        DemoMapResult? cleaned = map is null ? null : await watcher.CleanAsync(map, CleanPatience, cancellationToken);
        DemoRecords records = await watcher.StopAsync();
        await report.WriteLineAsync(Summarise(scenario, comparison, records));
        if (cleaned is not null)
            await report.WriteLineAsync($"demo: map: {cleaned}");
        bool moved = await uplinks.RunAsync(cancellationToken);
        await report.WriteLineAsync($"demo: {time.GetElapsedTime(start).TotalSeconds:0.0} s");
        return settled && IsComplete(scenario.Plan.Count, scenario.StayOpen, comparison, records) && cleaned is not { IsRight: false }
            && moved;
    }

    private async Task<DemoMap?> TryMakeMapAsync(DemoScenario scenario)
    {
        try
        {
            return new DemoMap(scenario.ClientInterface, time);
        }
        catch (FlowMapException e) when (e.Errno is Errno.EPERM or Errno.EACCES or Errno.ENOSYS)
        {
            await report.WriteLineAsync($"demo: map: left out: {e.Message}");
            return null;
        }
    }

    /// <summary>Whether the records and the view account for every flow made.</summary>
    internal static bool IsComplete(int made, int open, in DemoComparison comparison, in DemoRecords records) =>
        comparison.IsExact && comparison.InKernel == open && records.Started == made && records.Ended == made - open && records.Lost == 0;

    private static string Summarise(DemoScenario scenario, in DemoComparison comparison, in DemoRecords records) =>
        $"""
        demo: {scenario.Plan.Count} flows made; {records.Started} start records, {records.Ended} end records, {records.Lost} events lost
        demo: {scenario.StayOpen} connections still open; live view {comparison.InView} flows, kernel {comparison.InKernel}: {(comparison.IsExact
            ? "equal" : $"NOT equal, {comparison.Missing} missing, {comparison.Ghosts} too many")}
        """;
}
