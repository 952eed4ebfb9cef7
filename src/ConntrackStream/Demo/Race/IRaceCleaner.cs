using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.Service.Demo.Race;

/// <summary>One of the algorithms, at work on one node and its map.</summary>
internal interface IRaceCleaner : IAsyncDisposable
{
    string Name { get; }

    /// <summary>Begins to work on the node.</summary>
    /// <param name="reuse">The cleaner opens the node's map through a <see cref="RaceMap"/> with it.</param>
    /// <exception cref="NetlinkException">Not permitted.</exception>
    Task StartAsync(RaceNode node, TupleReuse reuse, CancellationToken cancellationToken);

    /// <summary>Looks at the table twice, and deletes what its algorithm takes for stale.</summary>
    Task CleanAsync(CancellationToken cancellationToken);
}
