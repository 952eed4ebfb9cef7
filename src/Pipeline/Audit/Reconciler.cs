using System.Globalization;
using System.Reactive.Concurrency;
using System.Threading.Channels;
using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Asking;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.LiveView;
using ConntrackStream.Pipeline.Loop;
using ConntrackStream.Pipeline.Queues;

namespace ConntrackStream.Pipeline.Audit;

/// <summary>
/// Makes the view equal to the kernel, at the start, after every loss, and again and again to prove it: one round at a time of
/// barrier → dump → barrier → sweep and, where that finds ends, → barrier → ends. Used by the loop only; the dump itself runs on a thread
/// of its own and comes in as messages.
/// </summary>
internal sealed partial class Reconciler(FlowView view, KernelTable kernel, ReconcilerPorts ports, ILogger logger) : ILoopWork, IDisposable
{
    private static readonly TimeSpan BarrierPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan OverloadPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan DeletionPatience = TimeSpan.FromMilliseconds(100);

    private readonly CancellationTokenSource _stop = new();
    private readonly LossWindow _losses = new();
    private readonly Backoff _retry = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));
    private readonly WarningLimit _overrunWarnings = new(ports.Time), _gapWarnings = new(ports.Time);
    private Phase _phase;
    private RoundReason _wanted; // asked for while a round runs or no socket is open
    private RoundReason _reason; // of the round under way
    private FlowGap? _gap; // losses that the round under way repairs
    private RoundResult _result = new();
    private RoundSettlement? _settlement;
    private DateTimeOffset _notBefore;
    private DateTimeOffset _began;
    private ushort _epochAtOpen;
    private ushort _epochAtBarrier; // when the barrier was asked for
    private long _token;
    private bool _connected;
    private bool _hasOpened;
    private Task _dump = Task.CompletedTask;
    private bool _isWaitingForRoom;
    private bool _hasPassed; // the barrier has, but the kernel's answer about an event before it has not come

    private enum Phase : byte
    {
        Idle,
        Opening, // waiting for the barrier that opens the round
        Dumping,
        Closing, // waiting for the barrier after the dump
        Settling,
        Proving, // waiting for the barrier after the kernel's last answer
        Ending,
    }

    private bool IsWaitingForBarrier => _phase is Phase.Opening or Phase.Closing or Phase.Proving;

    private FlowOrigin Origin => _reason is RoundReason.Audit or RoundReason.Probe ? FlowOrigin.Audit : FlowOrigin.Dump;

    /// <summary>Rounds finished since the start.</summary>
    public long Rounds { get; private set; }

    /// <summary>Rounds given up because the dump failed.</summary>
    public long FailedRounds { get; private set; }

    /// <summary>The last finished round, null before the first.</summary>
    public RoundReport? Last { get; private set; }

    /// <summary>Gaps written since the start.</summary>
    public GapCounters Gaps { get; } = new();

    public bool IsIdle => _phase == Phase.Idle && _wanted == RoundReason.None;

    /// <summary>Asks for a round; it starts now, or when the present one is done, or when a socket is open.</summary>
    public void Request(RoundReason reason)
    {
        if (reason > _wanted)
            _wanted = reason;
        TryOpen();
    }

    public void Handle(in TapMessage message)
    {
        switch (message.Kind)
        {
            case TapMessageKind.Connected:
                OnConnected();
                break;
            case TapMessageKind.Disconnected:
                OnDisconnected(message);
                break;
            case TapMessageKind.Overrun:
                if (!_losses.IsOpen && _gap is null && _overrunWarnings.IsDue(out _))
                    logger.Overrun(message.Lost, Milliseconds(message.To - message.From));
                OnLoss(FlowGapReason.Overrun, message.From, message.To, message.Lost);
                Request(RoundReason.Overrun);
                break;
            case TapMessageKind.Barrier when message.Token == _token:
                OnBarrier();
                break;
            case TapMessageKind.DumpRows:
                OnRows(message);
                break;
            case TapMessageKind.DumpEnd when message.Token == _token:
                OnDumpEnd(message.Error);
                break;
        }
    }

    /// <summary>Sweeping, in steps.</summary>
    public LoopWorkState Step()
    {
        if (_hasPassed)
            return TryPass() ? LoopWorkState.Busy : LoopWorkState.Waiting;
        if (_phase is not (Phase.Settling or Phase.Ending) || _settlement is null)
            return LoopWorkState.Waiting;
        if (!ports.HasRoom())
        {
            LookAgain();
            return LoopWorkState.Waiting;
        }

        LoopWorkState state = _settlement.Step();
        if (state != LoopWorkState.Done)
            return state;
        if (_phase == Phase.Settling && _settlement.HasDenied)
            Prove();
        else
            Finish();
        return LoopWorkState.Busy;
    }

    /// <summary>At the end, when the loop has stopped: what no round has repaired, or will, is a gap nevertheless.</summary>
    public void WriteOpenGaps()
    {
        if (_gap is { } gap)
            _losses.Return(gap);
        _gap = null;
        CloseBlindness();
        if (!_connected)
            _losses.Extend(ports.Time.UnixNanoseconds());
        if (_losses.Take() is { } open)
            WriteGap(open);
        ports.Changes.UnreportedLossFrom = 0;
    }

    public void Dispose()
    {
        _stop.Cancel();
        _stop.Dispose();
    }

    /// <summary>Ends a dump under way and waits for its thread.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _dump.ConfigureAwait(false);
    }

    /// <summary>A sink that stalls never gives the loop a reason to turn.</summary>
    private void LookAgain()
    {
        if (_isWaitingForRoom)
            return;
        _isWaitingForRoom = true;
        ports.Scheduler.Schedule(this, SinkQueue.StallPatience, static (_, self) =>
        {
            self._isWaitingForRoom = false;
            return System.Reactive.Disposables.Disposable.Empty;
        });
    }

    private void OnConnected()
    {
        _connected = true;
        _losses.Extend(view.Context.Now);
        Request(Rounds == 0 && !_losses.IsOpen ? RoundReason.Start : RoundReason.Reconnect);
    }

    private void OnDisconnected(in TapMessage message)
    {
        _connected = false;
        FlowGapReason reason = message.Break == TapBreak.NamespaceReplaced ? FlowGapReason.NamespaceReplaced : FlowGapReason.Reconnect;
        OnLoss(reason, message.From, message.To, lost: null);
        if (IsWaitingForBarrier)
            Abandon(RoundReason.Reconnect);
    }

    private void OnLoss(FlowGapReason reason, long from, long to, long? lost)
    {
        _losses.Add(reason, from, to, lost);
        view.Context.LossEpoch++;
        view.Context.IsLossAhead = true;
        view.Context.Synced = false;
        AnnounceLoss();
    }

    /// <summary>Every batch of changes says from now on since when events are missing that no gap has reported yet.</summary>
    private void AnnounceLoss()
    {
        long from = Math.Min(_losses.From ?? long.MaxValue, _gap?.From ?? long.MaxValue);
        foreach ((FlowGapReason reason, long since) in _off)
        {
            if (FlowGap.Hides(reason))
                from = Math.Min(from, since);
        }

        ports.Changes.UnreportedLossFrom = from == long.MaxValue ? 0 : from;
    }

    private void TryOpen()
    {
        if (_phase != Phase.Idle || _wanted == RoundReason.None || !_connected)
            return;
        TimeSpan wait = _notBefore - ports.Scheduler.Now;
        if (wait > TimeSpan.Zero)
        {
            ports.Scheduler.Schedule(this, wait, static (_, self) =>
            {
                self.TryOpen();
                return System.Reactive.Disposables.Disposable.Empty;
            });
            return;
        }

        _reason = _wanted;
        _wanted = RoundReason.None;
        _began = ports.Scheduler.Now;
        _phase = Phase.Opening;
        AskForBarrier();
    }

    private void AskForBarrier()
    {
        long token = ++_token;
        _epochAtBarrier = view.Context.LossEpoch;
        if (!ports.RequestBarrier(token))
        {
            _connected = false; // Disconnected is on its way
            Abandon(_reason);
            return;
        }

        ports.Scheduler.Schedule((Self: this, Token: token), BarrierPatience, static (_, state) =>
        {
            state.Self.OnBarrierOverdue(state.Token);
            return System.Reactive.Disposables.Disposable.Empty;
        });
    }

    /// <summary>
    /// A long backlog of events delays a barrier; only one that is lost with its socket never comes. Asking again is harmless.
    /// </summary>
    private void OnBarrierOverdue(long token)
    {
        if (token != _token || _hasPassed || !IsWaitingForBarrier)
            return;
        logger.BarrierOverdue(BarrierPatience.TotalSeconds);
        AskForBarrier();
    }

    private void OnBarrier()
    {
        if (!IsWaitingForBarrier)
            return;
        view.PassBarrier();
        _hasPassed = true;
        TryPass();
    }

    /// <summary>
    /// The barrier has shown every event before it; those that wait for an answer of the kernel must have been applied as well.
    /// </summary>
    private bool TryPass()
    {
        if (view.HasDoubtsBeforeBarrier)
            return false;
        _hasPassed = false;
        switch (_phase)
        {
            case Phase.Opening:
                Open();
                break;
            case Phase.Closing:
                StartSettling();
                break;
            default:
                StartEnding();
                break;
        }

        return true;
    }

    private void Open()
    {
        if (_hasOpened)
            _losses.ExtendReconnect(view.Context.Now);
        else
            ports.OnOpened(view.Context.Now);
        _hasOpened = true;
        if (view.Context.LossEpoch == _epochAtBarrier)
            view.Context.IsLossAhead = false; // what was queued when it was noticed has been applied
        _gap = _losses.Take();
        _epochAtOpen = view.Context.LossEpoch;
        _result = new RoundResult();
        view.OpenRound();
        _phase = Phase.Dumping;
        long token = ++_token;
        _dump = OwnThread.Run("conntrack-dump", () => RunDump(token));
    }

    /// <summary>On the dump's own thread: every row goes through the same bounded channel as the events.</summary>
    private void RunDump(long token)
    {
        try
        {
            ports.Write(new TapMessage(TapMessageKind.DumpEnd) { Token = token, Error = TryDump(token) });
        }
        catch (Exception e) when (e is OperationCanceledException or ChannelClosedException)
        {
            // The service is stopping: nobody waits for the end of this dump.
        }
    }

    private IOException? TryDump(long token)
    {
        try
        {
            kernel.Dump(batch => ports.Write(new TapMessage(TapMessageKind.DumpRows) { Batch = batch, Token = token }), _stop.Token);
            return null;
        }
        catch (IOException e)
        {
            return e;
        }
    }

    private void OnRows(in TapMessage message)
    {
        if (message.Token == _token && _phase == Phase.Dumping)
            _result.Rows += view.Merge(message.Batch!, ports.IsWanted);
        message.Batch!.Release();
    }

    private void OnDumpEnd(Exception? error)
    {
        if (error is not null)
        {
            FailedRounds++;
            TimeSpan wait = _retry.Next();
            logger.DumpFailed(error.Message, wait.TotalSeconds);
            view.CloseRound();
            _notBefore = ports.Scheduler.Now + wait;
            Abandon(_reason);
            return;
        }

        _phase = Phase.Closing;
        AskOrAbandon();
    }

    private void AskOrAbandon()
    {
        if (_connected)
            AskForBarrier();
        else
            Abandon(RoundReason.Reconnect);
    }

    private void StartSettling()
    {
        _phase = Phase.Settling;
        _settlement = view.Settle(Origin, _result);
        ports.Wake();
    }

    /// <summary>
    /// The kernel hides an entry (IPS_DYING) a moment before it sends the DESTROY (nf_ct_delete), and on a busy machine its collector may
    /// lose the processor in between.
    /// </summary>
    private void Prove()
    {
        _phase = Phase.Proving;
        ports.Scheduler.Schedule((Self: this, Token: ++_token), DeletionPatience, static (_, state) =>
        {
            if (state.Token == state.Self._token)
                state.Self.AskOrAbandon();
            return System.Reactive.Disposables.Disposable.Empty;
        });
    }

    private void StartEnding()
    {
        _phase = Phase.Ending;
        _settlement!.StartEnding();
        ports.Wake();
    }

    private void Finish()
    {
        _settlement = null;
        _phase = Phase.Idle;
        _retry.Reset();
        view.CloseRound();
        Rounds++;
        TimeSpan duration = ports.Scheduler.Now - _began;
        bool lostMeanwhile = view.Context.LossEpoch != _epochAtOpen;
        view.Context.Synced = !lostMeanwhile && !IsBlind;
        if (view.Context.Synced)
            view.Context.EarlierIds = null;
        if (_gap is { } gap)
            WriteGap(gap with { To = EndOf(gap), Recovered = _result.Repaired });
        _gap = null;
        AnnounceLoss();
        Last = new RoundReport(_reason, _result, _began.ToUnixTimeMilliseconds() * 1_000_000, duration);
        logger.RoundDone(
            _reason,
            _result.Rows,
            _result.Missing,
            _result.Ghosts,
            _result.WrongIncarnations,
            _result.UntappedEnded,
            duration.TotalMilliseconds);
        ports.OnRound(Last);
        if (lostMeanwhile)
            _notBefore = ports.Scheduler.Now + (duration < OverloadPause ? duration : OverloadPause); // the tap needs the processor more
        TryOpen();
    }

    /// <summary>Gives the round up; what it was to repair, and its reason, stay due.</summary>
    private void Abandon(RoundReason again)
    {
        if (view.Context.RoundOpen)
            view.CloseRound();
        if (_gap is { } gap)
            _losses.Return(gap);
        _gap = null;
        _settlement = null;
        _hasPassed = false;
        _phase = Phase.Idle;
        _token++;
        Request(again > _reason ? again : _reason);
    }

    private void WriteGap(FlowGap gap)
    {
        if (_gapWarnings.IsDue(out long gaps))
            logger.GapClosed(gap.Reason, Describe(gap.Lost), Milliseconds(gap.To - gap.From), gap.Recovered ?? 0, gaps);
        Write(gap, FlowOrigin.Dump, Math.Max(view.Context.Now, gap.To));
    }

    private void Write(FlowGap gap, FlowOrigin origin, long time)
    {
        ref FlowChange change = ref ports.Changes.Add(FlowChangeKind.Gap, origin);
        Gaps.Count(gap.Reason);
        if (gap.From > gap.To) // the clock was set back meanwhile
            gap = gap with { From = gap.To, To = gap.From };
        change.Gap = gap;
        change.Time = time;
        change.Start = gap.From;
        change.End = gap.To;
    }

    private static string Describe(long? lost) =>
        lost is { } number
            ? string.Create(CultureInfo.InvariantCulture, $"{number} deliveries refused")
            : "an unknown number of events lost";

    private static double Milliseconds(long ns) => ns / 1e6;
}
