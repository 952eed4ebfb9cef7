using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Service.Summary;
using ConntrackStream.Sinks.MapCleaning.Delete;

namespace ConntrackStream.Service.Api;

/// <summary>What the HTTP interface asks the running service, as functions.</summary>
internal sealed record ApiBackend
{
    /// <summary>Streams the live view's flows that match; each batch is borrowed until the callback's task ends.</summary>
    internal required Func<FlowFilter, Func<FlowChangeBatch, ValueTask>, CancellationToken, Task<QuerySummary>> Query { get; init; }

    /// <summary>
    /// The same from a position on, without so many of the first, so many rows at a time, for as long as the callback returns true. Null
    /// when it has ended it.
    /// </summary>
    internal required Func<FlowFilter, FlowPosition, int, int, Func<FlowPage, ValueTask<bool>>, CancellationToken, Task<QuerySummary?>> Walk
    {
        get;
        init;
    }

    /// <summary>The live view's flow of this id; null when there is none.</summary>
    internal required Func<FlowId, CancellationToken, Task<FlowChange?>> FindById { get; init; }

    /// <summary>The live view's flow with this original or reply tuple; null when there is none.</summary>
    internal required Func<FlowTuple, CancellationToken, Task<FlowChange?>> FindByTuple { get; init; }

    internal required Func<ServiceStatus> Status { get; init; }

    /// <summary>Subscribed to while a client asks for rates or changes.</summary>
    internal required IObservable<FlowChangeBatch> Changes { get; init; }

    /// <summary>What <c>/metrics</c> shows.</summary>
    internal required Func<IEnumerable<MetricFamily>> Metrics { get; init; }

    /// <summary>Called before each scrape: for metrics that are counted when they are asked for.</summary>
    internal Func<CancellationToken, Task> RefreshMetrics { get; init; } = static _ => Task.CompletedTask;

    /// <summary>The pipeline's loop answers; it may hang, the server gives up after some seconds.</summary>
    internal required Func<CancellationToken, Task<bool>> IsHealthy { get; init; }

    /// <summary>The nominated keys, so many at most; null when no map is configured.</summary>
    internal Func<int, CancellationToken, Task<TombstoneList>>? Tombstones { get; init; }

    /// <summary>
    /// The rows of a batch as the kernel has them now, without those that are gone; to be released. Throws NetlinkException when the kernel
    /// does not answer.
    /// </summary>
    internal required Func<FlowChangeBatch, CancellationToken, Task<FlowChangeBatch>> Ask { get; init; }

    /// <summary>
    /// Opens a reader of the kernel's table, with its growth by the service's own count of events. Throws NetlinkException when the kernel
    /// does not answer.
    /// </summary>
    internal Func<TableReader> OpenTable { get; init; } =
        static () => new TableReader(EventTap.Netlink.NetworkNamespace.Current, TimeProvider.System);

    /// <summary>Name of the network namespace for <c>netns</c>; null when it is the service's own.</summary>
    internal string? NetworkNamespace { get; init; }
}
