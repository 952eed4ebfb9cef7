namespace ConntrackStream.Pipeline.Audit;

/// <summary>What <see cref="CountProbe"/> compares.</summary>
/// <param name="Kernel">Entries in the kernel's table.</param>
/// <param name="View">Flows in the view.</param>
/// <param name="Events">Events applied since the start.</param>
/// <param name="Clashes">
/// Races that the kernel has resolved since the namespace was made; some left an entry that only the count shows
/// (<see cref="EventTap.Model.Flow.IsClashLoser"/>). 0 where the kernel does not say.
/// </param>
/// <param name="ClashEnds">Ends of such entries since the start.</param>
internal readonly record struct ProbeCounts(long Kernel, long View, long Events, long Clashes = 0, long ClashEnds = 0)
{
    /// <summary>What the kernel counts and the view does not hold.</summary>
    public long Difference => Kernel - View;
}
