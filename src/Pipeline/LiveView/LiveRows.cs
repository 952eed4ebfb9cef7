using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Pipeline.LiveView;

/// <summary>
/// The live view as a stage of the loop reads it: by slot and by tuple. A slot number stays good as long as its flow lives; a scan runs
/// from 0 to <see cref="Slots"/>, one family after the other. On the loop only.
/// </summary>
public sealed class LiveRows
{
    private readonly FlowView _view;

    internal LiveRows(FlowView view) => _view = view;

    /// <summary>No loss lies unrepaired: the view follows the kernel event by event.</summary>
    public bool IsSynced => _view.Context.Synced;

    /// <summary>How many losses (overrun, disconnect) there were, modulo 2^16.</summary>
    public ushort LossEpoch => _view.Context.LossEpoch;

    public int Slots(FlowFamily family) => _view.Slots(family);

    /// <summary>Reads one slot into a change; false when it holds no announced flow.</summary>
    public bool TryRead(FlowFamily family, int slot, ref FlowChange change, out FlowExtras? extras) =>
        _view.TryRead(family, slot, ref change, out extras);

    /// <summary>Shows the tuples of the flows in a range of slots.</summary>
    public void Visit(FlowFamily family, int from, int to, ITupleVisitor visitor) => _view.Visit(family, from, to, visitor);

    /// <summary>
    /// First of three passes over many tuples, whose cache misses overlap so: hashes a tuple and touches the two buckets that it is most
    /// likely to be found by. The second is <see cref="Warm"/>, the third <see cref="FindEitherWay"/>.
    /// </summary>
    /// <param name="tuple">With its zone.</param>
    /// <param name="inverse">The same in the other direction.</param>
    /// <param name="head">For <see cref="Warm"/>.</param>
    /// <param name="warmth">For <see cref="KeepWarm"/>.</param>
    /// <returns>The hash, for <see cref="FindEitherWay"/>.</returns>
    public ulong PrepareEitherWay(in FlowTuple tuple, in FlowTuple inverse, out int head, ref int warmth) =>
        _view.PrepareEitherWay(tuple, inverse, out head, ref warmth);

    public int Warm(bool isIPv6, int head) => _view.Warm(isIPv6, head);

    /// <summary>Keeps the touching loads from being optimised away.</summary>
    public void KeepWarm(int warmth) => _view.KeepWarm(warmth);

    /// <summary>Slot of a flow whose original or reply tuple this is, in either orientation; -1 when there is none.</summary>
    public int FindEitherWay(in FlowTuple tuple, in FlowTuple inverse, ulong hash) => _view.FindEitherWay(tuple, inverse, hash);
}
