using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Act;

namespace ConntrackStream.Sinks.Reclassify.Reset;

/// <summary>
/// The connections whose client is reset before their entry goes, from the decision to the end. It says what is to be done in the kernel
/// (<see cref="Take"/>) and is told what came of it (<see cref="OnDone"/>). Not thread-safe; times in ms, monotonic.
/// </summary>
/// <param name="patience">How long a client's packet is waited for.</param>
internal sealed class ResetBook(long patience, IResetOutcomes outcomes)
{
    /// <summary>
    /// How long entry and member stay after the reset at most, ms; less once no packet passes any more (<see cref="QuietWatch"/>). A reset
    /// that is lost, or late for a client behind latency, is followed by another one; and what the server sends meanwhile reaches the
    /// client, whose own reset ends the server's side, whatever the gateway's own rules for packets without entry are.
    /// </summary>
    internal const long LongestLinger = 60_000;

    /// <summary>After so long in the set without a packet a client counts as idle, ms.</summary>
    internal const long IdleAfter = 1000;

    private const long FirstInterval = 25, LongestInterval = 1000; // ms between two looks, doubled each time
    private const long QuietInterval = 500; // ms between two looks at whether packets still pass

    private readonly Dictionary<FlowTuple, PendingReset> _byFlow = [];
    private readonly Dictionary<LinkKey, List<PendingReset>> _byLink = [];
    private readonly PriorityQueue<PendingReset, long> _due = new();
    private ResetWork _work = new();

    internal int Count => _byFlow.Count;

    /// <summary>Of those, the ones whose client has not been reset yet.</summary>
    internal int Waiting { get; private set; }

    internal bool HasWork => !_work.IsEmpty;

    internal long? NextDue => _due.TryPeek(out _, out long due) ? due : null;

    internal bool Contains(in FlowTuple original, uint id) => _byFlow.TryGetValue(original, out PendingReset? reset) && reset.Flow.Id == id;

    internal void Add(PendingReset reset, long now)
    {
        if (_byFlow.Remove(reset.Flow.Original, out PendingReset? former))
            End(former, isOver: true); // an earlier connection with the same ports
        _byFlow[reset.Flow.Original] = reset;
        LinkKey link = LinkKey.Of(reset.Flow.Original);
        if (!_byLink.TryGetValue(link, out List<PendingReset>? alike))
            _byLink[link] = alike = [];
        alike.Add(reset);
        Waiting++;
        reset.Until = now + patience;
        _work.Add.Add(reset);
    }

    /// <summary>
    /// What is to be done by now; null when there is nothing. <see cref="OnDone"/> is called with it before the next one is taken.
    /// </summary>
    internal ResetWork? Take(long now)
    {
        while (_due.TryPeek(out PendingReset? reset, out long due) && due <= now)
        {
            _due.Dequeue();
            if (due == reset.Due)
                OnDue(reset, now);
        }

        if (_work.IsEmpty)
            return null;
        ResetWork work = _work;
        work.Add.RemoveAll(static reset => reset.Stage != ResetStage.Asked); // over before it was begun
        foreach (PendingReset reset in work.Add)
            reset.Stage = ResetStage.Adding;
        _work = new ResetWork();
        return work;
    }

    internal void OnDone(ResetWork work, long now)
    {
        // the others have been reset, or are over
        foreach (PendingReset reset in work.Add.Where(static reset => reset.Stage == ResetStage.Adding))
        {
            if (work.ChangeFailure is { } failure)
            {
                Forget(reset);
                outcomes.OnFailed(reset, failure.Message);
                continue;
            }

            reset.Stage = ResetStage.Armed;
            reset.Interval = FirstInterval;
            Schedule(reset, now + FirstInterval);
        }

        foreach (PendingReset reset in work.Look)
        {
            if (reset.Stage == ResetStage.Over)
                continue; // meanwhile an event has said so
            if (work.LookFailure is not null)
                Schedule(reset, now + LongestInterval);
            else if (reset.Stage == ResetStage.Done)
                OnSeenAfter(reset, now);
            else
                OnSeen(reset, now);
        }

        foreach (PendingReset reset in work.Remove.Where(static reset => reset.Stage == ResetStage.Expiring))
            _work.Look.Add(reset); // a packet may have come just before the removal
    }

    /// <summary>A flow has begun: what it may follow is looked at first, and what had its ports is over.</summary>
    /// <param name="start">When it began, ns since the Unix epoch.</param>
    /// <param name="see">Asks the kernel about one of them.</param>
    internal void OnStarted(in Flow flow, long start, Func<PendingReset, ResetState> see, long now)
    {
        if (Count == 0 || !_byLink.TryGetValue(LinkKey.Of(flow.Original), out List<PendingReset>? alike))
            return;
        foreach (PendingReset reset in alike.ToArray())
        {
            if (MayBeInSet(reset))
            {
                reset.Seen = see(reset);
                if (reset.Seen is ResetState.Closed)
                    OnSeen(reset, now);
            }

            // with the same id and an earlier start it is the very connection, reported late
            if (reset.Flow.Original == flow.Original && (reset.Flow.Id != flow.Id || start > reset.Action.Time))
                End(reset, isOver: true);
        }
    }

    /// <summary>A flow's entry has changed or ended.</summary>
    internal void OnChanged(in Flow flow, bool hasEnded, long now)
    {
        if (Count == 0 || !_byFlow.TryGetValue(flow.Original, out PendingReset? reset) || reset.Flow.Id != flow.Id)
            return;
        if (MayBeInSet(reset) && flow.TcpState == TcpState.Close)
        {
            reset.Seen = ResetState.Closed;
            OnSeen(reset, now);
        }

        if (hasEnded)
            End(reset, isOver: true);
    }

    /// <summary>A client that is closed now has been reset.</summary>
    private static bool MayBeInSet(PendingReset reset) => reset.Stage is ResetStage.Adding or ResetStage.Armed or ResetStage.Expiring;

    private void OnDue(PendingReset reset, long now)
    {
        switch (reset.Stage)
        {
            case ResetStage.Armed when now >= reset.Until:
                reset.Stage = ResetStage.Expiring;
                _work.Remove.Add(reset);
                break;
            case ResetStage.Done when now >= reset.Until:
                Settle(reset);
                break;
            case ResetStage.Armed or ResetStage.Expiring or ResetStage.Done:
                _work.Look.Add(reset);
                break;
        }
    }

    private void OnSeen(PendingReset reset, long now)
    {
        switch (reset.Seen)
        {
            case ResetState.Closed:
                reset.Stage = ResetStage.Done;
                Waiting--;
                reset.Until = now + LongestLinger;
                Schedule(reset, now + QuietInterval);
                outcomes.OnReset(reset);
                break;
            case ResetState.Gone:
                End(reset, isOver: true);
                break;
            case ResetState.Offloaded:
                End(reset, isOver: false);
                break;
            case ResetState.Open when reset.Stage == ResetStage.Expiring:
                End(reset, isOver: false);
                break;
            case ResetState.Open:
                if (now >= reset.Until - patience + IdleAfter)
                    outcomes.OnIdle(reset);
                reset.Interval = Math.Min(LongestInterval, reset.Interval * 2);
                Schedule(reset, Math.Min(now + reset.Interval, Math.Max(now + 1, reset.Until)));
                break;
        }
    }

    /// <summary>After the reset.</summary>
    private void OnSeenAfter(PendingReset reset, long now)
    {
        if (reset.Seen != ResetState.Closed)
            End(reset, isOver: true); // ended by itself, or another connection has its ports
        else if (reset.IsQuiet(now))
            Settle(reset);
        else
            Schedule(reset, now + QuietInterval);
    }

    private void Settle(PendingReset reset)
    {
        outcomes.OnSettled(reset);
        End(reset, isOver: true);
    }

    private void Schedule(PendingReset reset, long due)
    {
        reset.Due = due;
        _due.Enqueue(reset, due);
    }

    private void End(PendingReset reset, bool isOver)
    {
        ResetStage before = reset.Stage;
        Forget(reset);
        _work.Remove.Add(reset);
        if (before != ResetStage.Done)
            outcomes.OnUntouched(reset, isOver);
    }

    private void Forget(PendingReset reset)
    {
        if (reset.Stage is not (ResetStage.Done or ResetStage.Over))
            Waiting--;
        reset.Stage = ResetStage.Over;
        reset.Due = 0;
        if (_byFlow.TryGetValue(reset.Flow.Original, out PendingReset? there) && there == reset)
            _byFlow.Remove(reset.Flow.Original);
        LinkKey link = LinkKey.Of(reset.Flow.Original);
        if (_byLink.TryGetValue(link, out List<PendingReset>? alike) && alike.Remove(reset) && alike.Count == 0)
            _byLink.Remove(link);
    }
}
