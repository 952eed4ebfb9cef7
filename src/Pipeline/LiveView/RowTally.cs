using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Pipeline.LiveView;

/// <summary>
/// A small number that a stage counts in each row, pass by pass: half a byte for the pass under way, half for the one before, each up to
/// <see cref="Most"/>. A row that is used again for another flow begins at 0. On the loop only.
/// </summary>
public sealed class RowTally
{
    /// <summary>The highest number counted.</summary>
    public const int Most = (1 << Bits) - 1;

    internal const int Bits = 4;

    private readonly FlowView _view;

    internal RowTally(FlowView view) => _view = view;

    /// <summary>
    /// Before a pass: what the last one counted becomes what was before. Shows the flows' tuples to a visitor on the way.
    /// </summary>
    /// <param name="keep">False when the last pass does not count.</param>
    public void Open(FlowFamily family, int from, int to, bool keep, ITupleVisitor visitor) =>
        _view.OpenTally(family, from, to, keep, visitor);

    /// <summary>One more for the flow in this slot.</summary>
    public void Count(bool isIPv6, int slot) => _view.CountTally(isIPv6, slot);

    /// <summary>
    /// After a pass: the next slot from <paramref name="from"/> on whose flow lives and has less than
    /// before; <paramref name="to"/> when none.
    /// </summary>
    public int NextWithFewer(FlowFamily family, int from, int to) => _view.NextWithFewer(family, from, to);

    /// <summary>What the pass before the last one counted.</summary>
    public int Before(FlowFamily family, int slot) => _view.TallyBefore(family, slot);
}
