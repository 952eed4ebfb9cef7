using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Asking;

namespace ConntrackStream.Pipeline.LiveView;

// A DESTROY of which only the kernel can say whose it is waits here for the answer, and behind it whatever comes for its flow meanwhile. So
// the events of one flow keep their order, the flow's row stays until then, and the loop goes on with all others.
internal sealed partial class FamilyView<TKey>
{
    private const int MostParked = 1 << 14; // some 5 MB

    private readonly Dictionary<int, Doubt> _doubts = []; // by the slot of the row
    private readonly Queue<Doubt> _unasked = new();
    private readonly List<Doubt> _asked = [];
    private readonly TableQuestion _doubtful = new(byIdentity: true);
    private int _parked;

    /// <summary>An event that waits, and what was known when it came.</summary>
    private readonly record struct ParkedEvent(FlowEvent Event, ushort LossEpoch, uint Barriers);

    private sealed class Doubt(int slot, ulong hash, ParkedEvent destroy)
    {
        public readonly int Slot = slot;
        public readonly ulong Hash = hash;
        public readonly ParkedEvent Destroy = destroy;

        /// <summary>What came behind it for the same flow; null for nothing.</summary>
        public List<ParkedEvent>? Behind;
    }

    /// <summary>Some event that came before the last barrier still waits for the kernel's answer.</summary>
    public bool HasDoubtsBeforeBarrier
    {
        get
        {
            foreach (Doubt doubt in _doubts.Values)
            {
                if (doubt.Destroy.Barriers != context.Barriers)
                    return true;
            }

            return false;
        }
    }

    /// <summary>Applies what the kernel has answered; false when there is nothing.</summary>
    public bool SettleDoubts()
    {
        if (!_doubtful.IsAnswered)
            return false;
        for (int i = 0; i < _asked.Count; i++)
            Settle(_asked[i], _doubtful.IsAlive(i));
        _asked.Clear();
        _doubtful.Clear();
        AskDoubts();
        return true;
    }

    /// <summary>Settles all that waits as if the kernel had not answered: the rows stay, and the next round says what is true.</summary>
    public void GiveUpDoubts()
    {
        while (_doubts.Count > 0)
        {
            Doubt[] doubts = [.. _asked, .. _unasked];
            _asked.Clear(); // an answer that still comes is for nothing
            _unasked.Clear();
            context.Counters.DoubtsGivenUp += doubts.Length;
            foreach (Doubt doubt in doubts)
                Settle(doubt, isAlive: true);
        }
    }

    private void Park(int slot, ulong hash, in FlowEvent e)
    {
        context.Counters.Verified++;
        Doubt doubt = new(slot, hash, Parked(e));
        _doubts.Add(slot, doubt);
        _table[slot].Flags |= RowFlags.Doubtful;
        _unasked.Enqueue(doubt);
        AskDoubts();
        KeepWithinBounds();
    }

    private void ParkBehind(int slot, in FlowEvent e)
    {
        (_doubts[slot].Behind ??= []).Add(Parked(e));
        KeepWithinBounds();
    }

    private void KeepWithinBounds()
    {
        if (++_parked >= MostParked)
            GiveUpDoubts();
    }

    private ParkedEvent Parked(in FlowEvent e)
    {
        FlowEvent kept = e;
        kept.Flow.Extras = e.Flow.Extras?.Clone();
        return new ParkedEvent(kept, context.LossEpoch, context.Barriers);
    }

    private void AskDoubts()
    {
        if (_doubtful.IsAsked || _unasked.Count == 0)
            return;
        while (_asked.Count < SuspectsAtOnce && _unasked.TryDequeue(out Doubt? doubt))
        {
            _asked.Add(doubt);
            ref FlowRow<TKey> row = ref _table[doubt.Slot];
            _doubtful.Add(row.Original.ToTuple(), row.ConntrackId);
        }

        context.Ask!(_doubtful);
    }

    private void Settle(Doubt doubt, bool isAlive)
    {
        (ushort lossEpoch, uint barriers) = (context.LossEpoch, context.Barriers);
        _doubts.Remove(doubt.Slot);
        _parked--;
        _table[doubt.Slot].Flags &= ~RowFlags.Doubtful;
        Return(doubt.Destroy);
        FlowEvent destroy = doubt.Destroy.Event;
        ulong fingerprint = RecentEnds.Fingerprint(doubt.Hash, destroy.Flow);
        if (isAlive)
            Reject(destroy, fingerprint);
        else
            EndGone(doubt.Slot, doubt.Hash, destroy, fingerprint);
        foreach (ParkedEvent behind in doubt.Behind ?? [])
        {
            _parked--;
            Return(behind);
            Apply(behind.Event, doubt.Hash); // behind another doubt, if one of them makes one
        }

        (context.LossEpoch, context.Barriers) = (lossEpoch, barriers);
    }

    /// <summary>A flow that an event has touched is proven alive as of the event, not as of the answer.</summary>
    private void Return(in ParkedEvent to) => (context.LossEpoch, context.Barriers) = (to.LossEpoch, to.Barriers);
}
