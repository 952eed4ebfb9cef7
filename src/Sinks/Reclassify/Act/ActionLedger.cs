using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Decide;

namespace ConntrackStream.Sinks.Reclassify.Act;

/// <summary>
/// The closed loop: links what was deleted to what comes after it, a NEW of the same client to the same port of the same destination, be it the
/// same connection picked up again or a new one. What has not come back after the patience ends as hung or unknown. Not thread-safe.
/// </summary>
/// <param name="patience">ms.</param>
/// <param name="onOutcome">Told once for each action: it, the outcome, and ms it took.</param>
internal sealed class ActionLedger(long patience, Action<PendingAction, ActionOutcome, long> onOutcome)
{
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
            if (candidate.Time < began && (action is null || candidate.Original == flow.Original)) // the same connection, picked up again, comes first
                action = candidate;
        }

        if (action is null)
            return;
        Settle(action);
        ActionOutcome outcome = pathNow is null ? ActionOutcome.Unknown : pathNow == action.To ? ActionOutcome.Moved : ActionOutcome.Looped;
        onOutcome(action, outcome, now - action.At);
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
            bool isHung = action is { IsBlind: false, HasEnded: true, Original.Protocol: IpProtocol.Tcp };
            onOutcome(action, isHung ? ActionOutcome.Hung : ActionOutcome.Unknown, now - action.At);
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

    /// <summary>What a flow and its successor have in common. ICMP and UDP come back with the same ports; a TCP client that reconnects has another source port.</summary>
    private readonly record struct LinkKey(IpAddress Source, IpAddress Destination, ushort DestinationPort, IpProtocol Protocol, FlowFamily Family, ushort Zone)
    {
        public override int GetHashCode() => KeyedHash.Start.Add(Source).Add(Destination)
            .Add((ulong)DestinationPort << 32 | (ulong)Zone << 16 | (ulong)Protocol << 8 | (ulong)Family).Code;

        internal static LinkKey Of(in FlowTuple original) =>
            new(original.Source, original.Destination, original.DestinationPort, original.Protocol, original.Family, original.Zone);
    }
}
