using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Pipeline;

/// <summary>
/// A place in the walk over the live view: the slot that is read next. Rows never move, so a flow that lives through the whole walk is met
/// exactly once, whatever starts and ends meanwhile; and a walk can go on from here much later. Good for the process that made it only.
/// </summary>
/// <param name="Family">IPv4 comes first.</param>
/// <param name="Slot">Of that family; one beyond its end leads to the next family.</param>
public readonly record struct FlowPosition(FlowFamily Family, int Slot)
{
    /// <summary>Before the first flow.</summary>
    public static FlowPosition Start { get; } = new(FlowFamily.IPv4, 0);
}
