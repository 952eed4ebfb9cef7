using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.Service.Demo;

/// <summary>What the demo shows: the tap, the live view and the flow log as the service runs them, in the demo's gateway.</summary>
internal interface IDemoWatcher : IAsyncDisposable
{
    /// <summary>Begins to listen; from its return on, no event is missed, records go to standard output, and the map has been audited once.</summary>
    /// <param name="map">The eBPF map to keep clean; null = none.</param>
    Task StartAsync(NetworkNamespace gateway, DemoMap? map, CancellationToken cancellationToken);

    /// <summary>Holds the live view against a fresh dump of the kernel's table, after every event so far has been applied.</summary>
    Task<DemoComparison> CompareAsync(CancellationToken cancellationToken);

    /// <summary>Audits the map until nothing is left to be deleted, for <paramref name="patience"/> at most.</summary>
    Task<DemoMapResult> CleanAsync(DemoMap map, TimeSpan patience, CancellationToken cancellationToken);

    /// <summary>Stops listening and writes out every record.</summary>
    /// <returns>What was recorded in all.</returns>
    Task<DemoRecords> StopAsync();
}

/// <summary>The live view against the kernel.</summary>
/// <param name="InView">Flows in the live view.</param>
/// <param name="InKernel">Entries in the kernel's table.</param>
/// <param name="Missing">Entries the view lacks.</param>
/// <param name="Ghosts">Flows the kernel does not have.</param>
internal readonly record struct DemoComparison(long InView, long InKernel, long Missing, long Ghosts)
{
    internal bool IsExact => Missing == 0 && Ghosts == 0;
}

/// <summary>What the flow log wrote.</summary>
/// <param name="Started">Start records.</param>
/// <param name="Ended">End records.</param>
/// <param name="Lost">Events the kernel could not deliver.</param>
internal readonly record struct DemoRecords(long Started, long Ended, long Lost);
