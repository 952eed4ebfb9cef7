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

    /// <summary>Shows the tuples of all flows.</summary>
    public void Visit(ITupleVisitor visitor) => _view.Visit(visitor);

    /// <summary>
    /// First of three passes over many tuples, whose cache misses overlap so: hashes a tuple and begins to bring the two buckets into the
    /// cache that it is the likeliest to be found by. The second is <see cref="PrefetchRow"/>, the third <see cref="FindEitherWay"/>.
    /// </summary>
    /// <param name="tuple">With its zone.</param>
    /// <param name="inverse">The same in the other direction.</param>
    /// <returns>The hash, for <see cref="FindEitherWay"/>.</returns>
    public ulong Prefetch(in FlowTuple tuple, in FlowTuple inverse) => _view.Prefetch(tuple, inverse);

    /// <summary>The second pass.</summary>
    public void PrefetchRow(bool isIPv6, ulong hash) => _view.PrefetchRow(isIPv6, hash);

    /// <summary>Slot of a flow whose original or reply tuple this is, in either orientation; -1 when there is none.</summary>
    public int FindEitherWay(in FlowTuple tuple, in FlowTuple inverse, ulong hash) => _view.FindEitherWay(tuple, inverse, hash);
}
