using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.Reclassify.Paths;

namespace ConntrackStream.Sinks.Reclassify.Act;

/// <summary>
/// Flows that have arrived on the wanted path: they have moved once an answer comes back. The successor of a deleted or reset flow has one
/// when its entry says so. A re-marked entry had answers before, and those on their way come by the old path: so its counters are taken a
/// while after, and both ends must have sent since. Not thread-safe; times in ms, monotonic.
/// </summary>
/// <param name="patience">How long an answer is waited for.</param>
/// <param name="onOutcome">Told once for each: the action, the outcome, and ms since it was decided.</param>
/// <param name="onIdle">Told of a re-marked flow whose client sends nothing.</param>
internal sealed class AnswerWatch(
    long patience, FlowReader read, Action<PendingAction, ActionOutcome, long> onOutcome, Action<PendingAction> onIdle)
{
    internal const long Settling = 500; // until a re-marked entry's counters are taken

    private const long FirstLook = 50, LastLook = 400; // between two looks, doubled from one to the other

    private readonly List<Arrived> _arrived = [];

    internal int Count => _arrived.Count;

    internal long? NextDue
    {
        get
        {
            long due = long.MaxValue;
            foreach (Arrived arrived in _arrived)
                due = Math.Min(due, arrived.Due);
            return due == long.MaxValue ? null : due;
        }
    }

    /// <param name="flow">The successor as it began.</param>
    internal void AddSuccessor(PendingAction action, in Flow flow, long now)
    {
        if (SourceUse.IsAnswered(flow))
            onOutcome(action, ActionOutcome.Moved, now - action.Decided);
        else
            _arrived.Add(new Arrived(action, flow, isRemarked: false) { Until = now + patience, Due = now + FirstLook, Pause = FirstLook });
    }

    /// <param name="flow">The entry, re-marked.</param>
    internal void AddRemarked(PendingAction action, in Flow flow, long now) =>
        _arrived.Add(new Arrived(action, flow, isRemarked: true)
        {
            Until = now + patience,
            Due = now + Math.Min(Settling, patience),
            Pause = FirstLook,
        });

    internal void OnEnded(in Flow flow, long now)
    {
        for (int i = _arrived.Count - 1; i >= 0; i--)
        {
            if (_arrived[i].Original == flow.Original && _arrived[i].Id == flow.Id)
                Settle(i, _arrived[i].HasAnswer(flow) ? ActionOutcome.Moved : _arrived[i].WithoutAnswer(flow), now);
        }
    }

    internal void Advance(long now)
    {
        for (int i = _arrived.Count - 1; i >= 0; i--)
        {
            if (_arrived[i].Due <= now)
                Look(i, now);
        }
    }

    private void Look(int place, long now)
    {
        Arrived arrived = _arrived[place];
        Flow flow = default;
        bool isThere;
        try
        {
            isThere = read(arrived.Original, ref flow) && flow.Id == arrived.Id;
        }
        catch (NetlinkException)
        {
            isThere = false; // nothing can be concluded
        }

        if (!isThere || (arrived.IsRemarked && !flow.Has(FlowFields.Counters)))
            Settle(place, ActionOutcome.Unknown, now);
        else if (arrived.HasAnswer(flow))
            Settle(place, ActionOutcome.Moved, now);
        else if (now >= arrived.Until)
            Settle(place, arrived.WithoutAnswer(flow), now);
        else
            LookAgain(arrived, flow, now);
    }

    private void LookAgain(Arrived arrived, in Flow flow, long now)
    {
        if (arrived.Taken is null && arrived.IsRemarked)
            arrived.Taken = (flow.OriginalPackets, flow.ReplyPackets);
        else if (arrived.IsRemarked && flow.OriginalPackets == arrived.Taken!.Value.Sent && arrived.Pause == LastLook)
            onIdle(arrived.Action);
        arrived.Due = Math.Min(arrived.Until, now + arrived.Pause);
        arrived.Pause = Math.Min(LastLook, 2 * arrived.Pause);
    }

    private void Settle(int place, ActionOutcome outcome, long now)
    {
        PendingAction action = _arrived[place].Action;
        _arrived.RemoveAt(place);
        onOutcome(action, outcome, now - action.Decided);
    }

    private sealed class Arrived(PendingAction action, in Flow flow, bool isRemarked)
    {
        internal PendingAction Action => action;

        internal bool IsRemarked => isRemarked;

        internal FlowTuple Original { get; } = flow.Original;

        internal uint Id { get; } = flow.Id;

        internal long Until { get; init; }

        internal long Due { get; set; }

        internal long Pause { get; set; }

        /// <summary>A re-marked entry's packets once what was on its way has come.</summary>
        internal (ulong Sent, ulong Replies)? Taken { get; set; }

        internal bool HasAnswer(in Flow now) => isRemarked
            ? Taken is { } taken && now.OriginalPackets > taken.Sent && now.ReplyPackets > taken.Replies
            : SourceUse.IsAnswered(now);

        /// <summary>Nothing is to be concluded where nothing ever came back, or the client has not sent.</summary>
        internal ActionOutcome WithoutAnswer(in Flow now)
        {
            bool hasSent = !isRemarked || (Taken is { } taken && now.OriginalPackets > taken.Sent);
            return action.WasAnswered && hasSent ? ActionOutcome.Unanswered : ActionOutcome.Unknown;
        }
    }
}
