using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.LiveView;

namespace ConntrackStream.Pipeline;

/// <summary>Streams a dump of the kernel's table: the callback owns one reference of each batch. Runs on a thread of its own and may block.</summary>
public delegate void TableDump(Action<FlowBatch> onRows, CancellationToken cancellationToken);

/// <summary>
/// What the pipeline asks the kernel, as functions, so that it can be driven by recorded bytes. All but <see cref="Dump"/> are called on
/// the loop and answer within microseconds.
/// </summary>
internal sealed record KernelTable
{
    /// <summary>Entries in the namespace's table now; null when the kernel did not answer.</summary>
    public required Func<long?> Count { get; init; }

    /// <summary>Clashes that the kernel has resolved since the namespace was made; 0 where it does not say. Never waits.</summary>
    public required Func<long> Clashes { get; init; }

    public required FlowProbe IsAlive { get; init; }

    public required AliveCheck AreAlive { get; init; }

    /// <summary>Whether any entry has one of these tuples, as original or as reply tuple.</summary>
    public required Delete.ExistenceCheck Exists { get; init; }

    /// <summary>Whether the namespace has an interface of this index; null when the kernel did not answer.</summary>
    public required Func<uint, bool?> HasInterface { get; init; }

    /// <summary>The namespace's timeouts, from /proc/sys; null when they cannot be read. Called on a thread that may block.</summary>
    public required Func<Delete.KernelTimeouts?> Timeouts { get; init; }

    public required TableDump Dump { get; init; }
}
