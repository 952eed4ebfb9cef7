using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Decide;

namespace ConntrackStream.Sinks.Reclassify.Act;

/// <summary>
/// The closed loop: links what was deleted or reset to what comes after it, a NEW of the same client to the same port of the same
/// destination, be it the same connection picked up again or a new one. What has not come back after the patience ends as
/// hung, reset or unknown. Not thread-safe.
/// </summary>
/// <param name="patience">ms.</param>
/// <param name="onOutcome">Told once for each action: it, the outcome, and ms it took.</param>
/// <param name="onArrived">Told in its place of one whose successor is on the wanted path.</param>
internal sealed class ActionLedger(long patience, Action<PendingAction, ActionOutcome, long> onOutcome, ActionLedger.Arrival onArrived)
{
    internal delegate void Arrival(PendingAction action, in Flow successor);

    private readonly Dictionary<LinkKey, List<PendingAction>> _byLink = [];
    private readonly Queue<PendingAction> _byTime = []; // the patience is the same for all

    internal int Count { get; private set; }

    /// <summary>When the next one is given up, ms, monotonic; null when none waits.</summary>
    internal long? NextDue => _byTime.Count == 0 ? null : _byTime.Peek().At + patience;

    internal void Add(PendingAction action)
    {
        LinkKey link = LinkKey.Of(action.Original);
        if (!_byLink.TryGetValue(link, out List<PendingAction>? pending))
            _byLink[link] = pending = [];
        pending.Add(action);
        _byTime.Enqueue(action);
        Count++;
    }

    /// <summary>A deletion that took nothing (the flow was gone) is no action.</summary>
    internal void Withdraw(PendingAction action) => Settle(action);

    internal void OnEnded(in Flow flow)
    {
        if (Count == 0 || !_byLink.TryGetValue(LinkKey.Of(flow.Original), out List<PendingAction>? pending))
            return;
        foreach (PendingAction action in pending)
            action.HasEnded |= action.Original == flow.Original && action.Id == flow.Id;
    }

    /// <param name="began">When the flow began, ns since the Unix epoch.</param>
    /// <param name="pathNow">Name of the path the new flow is on; null when it cannot be told.</param>
    internal void OnStarted(in Flow flow, long began, string? pathNow, long now)
    {
        if (Count == 0 || !_byLink.TryGetValue(LinkKey.Of(flow.Original), out List<PendingAction>? pending))
            return;
        PendingAction? action = null;
        foreach (PendingAction candidate in pending)
        {
            // the same connection, picked up again, comes first
            if (candidate.Time < began && (action is null || candidate.Original == flow.Original))
                action = candidate;
        }

        if (action is null)
            return;
        Settle(action);
        if (pathNow == action.To)
            onArrived(action, flow);
        else
            onOutcome(action, pathNow is null ? ActionOutcome.Unknown : ActionOutcome.Looped, now - action.Decided);
    }

    /// <summary>Events were lost: silence proves nothing for those that wait.</summary>
    internal void OnLoss()
    {
        foreach (PendingAction action in _byTime)
            action.IsBlind = true;
    }

    internal void Advance(long now)
    {
        while (_byTime.Count > 0 && (_byTime.Peek().IsSettled || _byTime.Peek().At + patience <= now))
        {
            PendingAction action = _byTime.Dequeue();
            if (action.IsSettled)
                continue;
            Settle(action);
            ActionOutcome outcome = action.IsBlind ? ActionOutcome.Unknown
                : action.IsReset ? ActionOutcome.Reset
                : action is { HasEnded: true, Original.Protocol: IpProtocol.Tcp } ? ActionOutcome.Hung
                : ActionOutcome.Unknown;
            onOutcome(action, outcome, now - action.Decided);
        }
    }

    private void Settle(PendingAction action)
    {
        action.IsSettled = true;
        Count--;
        LinkKey link = LinkKey.Of(action.Original);
        List<PendingAction> pending = _byLink[link];
        pending.Remove(action);
        if (pending.Count == 0)
            _byLink.Remove(link);
    }
}
