using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Pipeline.Asking;

/// <summary>
/// Streams a dump of the kernel's table: the callback owns one reference of each batch. Runs on a thread of its own and may block.
/// </summary>
public delegate void TableDump(Action<FlowBatch> onRows, CancellationToken cancellationToken);

/// <summary>
/// What the pipeline asks the kernel, as functions, so that it can be driven by recorded bytes. Only <see cref="Count"/> is called on the
/// loop: everything else may wait for as long as another program's request to the kernel takes.
/// </summary>
internal sealed record KernelTable
{
    /// <summary>Entries in the namespace's table now; null when the kernel did not answer. Never waits.</summary>
    public required Func<long?> Count { get; init; }

    /// <summary>Clashes that the kernel has resolved since the namespace was made; 0 where it does not say. Never waits.</summary>
    public required Func<long> Clashes { get; init; }

    /// <summary>
    /// Looks tuples up by GET, and puts what the kernel says into the question. Called on <see cref="KernelAsker"/>'s thread.
    /// </summary>
    public required Action<TableQuestion> Answer { get; init; }

    public required TableDump Dump { get; init; }

    /// <summary>Closes what is open in the namespace: another will be asked from now on.</summary>
    public Action LeaveNamespace { get; init; } = static () => { };
}
