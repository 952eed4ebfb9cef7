using System.Threading.Channels;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Decide;
using ConntrackStream.Sinks.Reclassify.Messages;
using ConntrackStream.Sinks.Reclassify.Reset;

namespace ConntrackStream.Sinks.Reclassify;

/// <summary>
/// The reclassifier as a sink: brings it changes, time, answers and what has changed in the sets, one at a time. Its decisions are
/// <see cref="Reclassifier"/>'s.
/// </summary>
public sealed class ReclassifySink : IFlowSink, IChainHost
{
    private const int MostRanges = 4096; // beyond it, all flows are looked at
    private const int SweepShare = 10; // a sweep is followed by a pause of at least so many times its length

    /// <summary>
    /// Before each sweep, longer than the pipeline holds changes back for a fuller batch (50 ms): the view has flows of which the sink has
    /// not heard yet, and how a flow is moved depends on what other flows show of translation.
    /// </summary>
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(100);

    /// <summary>The kernel removes a member by itself half a minute after the service would have at the latest.</summary>
    private static readonly TimeSpan ResetMargin = TimeSpan.FromMilliseconds(ResetBook.LongestLinger) + TimeSpan.FromSeconds(30);

    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromSeconds(1);

    private readonly ReclassifyOptions _options;
    private readonly ReclassifyParts _parts;
    private readonly LiveFlowQuery _query;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Reclassifier _reclassifier;
    private readonly Lock _gate = new(); // the reclassifier
    private readonly Channel<bool> _due = Signal();
    private readonly Channel<bool> _changed = Signal();
    private readonly Channel<(FlowQuestion Question, Verdict Verdict, int Next)> _answers = // Next: 0, or which classifier is to be asked
        Channel.CreateBounded<(FlowQuestion, Verdict, int)>(new BoundedChannelOptions(8192) { SingleReader = true });

    private readonly Lock _rangesGate = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly ITimer _timer;
    private List<AddressRange> _ranges = [];
    private Task _advancing = Task.CompletedTask, _sweeping = Task.CompletedTask;

    /// <param name="parts">What it works with; owned by the sink from here on.</param>
    /// <param name="query">The live view; first used after <see cref="StartAsync"/>.</param>
    /// <param name="levers">Null for the service.</param>
    internal ReclassifySink(
        ReclassifyOptions options, ReclassifyParts parts, LiveFlowQuery query, CausedEnds ends, TimeProvider time, ILogger logger,
        ReclassifyLevers? levers = null)
    {
        _options = options;
        _parts = parts;
        _query = query;
        _time = time;
        _logger = logger;
        _reclassifier = new Reclassifier(
            options, parts.Paths, parts.Classifiers, parts.Kernel, ends, time, logger, levers ?? new ReclassifyLevers());
        _timer = time.CreateTimer(
            static state => ((ChannelWriter<bool>)state!).TryWrite(true),
            _due.Writer,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan);
    }

    public string Name => "reclassify";

    internal ReclassifyStatus Status => _reclassifier.Status;

    public async ValueTask StartAsync(CancellationToken cancellationToken)
    {
        if (_options.Mode == ReclassifyMode.Act)
            _parts.TryMakeResets();
        else
            _parts.TryResets();
        if (_parts.WhyNoReset is { } why)
            _logger.NoResets(why);
        await _parts.Classifiers.StartAsync(this, cancellationToken).ConfigureAwait(false);
        _advancing = Task.Run(AdvanceAsync, CancellationToken.None);
        _sweeping = Task.Run(SweepAsync, CancellationToken.None);
        _logger.Reclassifying(
            _options.Mode == ReclassifyMode.Act ? "act" : "dry-run",
            string.Join(", ", _parts.Paths.Paths.Select(static path => path.Name)));
    }

    public ValueTask WriteAsync(FlowChangeBatch batch, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            _reclassifier.OnChanges(batch);
            Arm();
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>
    /// Nothing is acted on from its return on, whatever still comes from the queue; for the beginning of the service's end. A transaction
    /// that has begun is waited for, and the table removed: no client is reset any more.
    /// </summary>
    public async Task HaltAsync()
    {
        lock (_gate)
            _reclassifier.Halt();
        await _stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_advancing, _sweeping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _parts.CloseResets();
    }

    public ValueTask FlushAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public void Reconsider(in AddressRange range)
    {
        lock (_rangesGate)
        {
            if (_ranges.Count >= MostRanges)
                _ranges = [AddressRange.All(FlowFamily.IPv4), AddressRange.All(FlowFamily.IPv6)];
            _ranges.Add(range);
        }

        _changed.Writer.TryWrite(true);
    }

    /// <summary>More answers at once than fit are forgotten: the flow is asked about again at its next look.</summary>
    public void Answer(in FlowQuestion question, in Verdict verdict)
    {
        _answers.Writer.TryWrite((question, verdict, 0));
        _due.Writer.TryWrite(true);
    }

    void IChainHost.Pass(in FlowQuestion question, int next)
    {
        _answers.Writer.TryWrite((question, Verdict.None, next));
        _due.Writer.TryWrite(true);
    }

    public async ValueTask DisposeAsync()
    {
        await HaltAsync().ConfigureAwait(false);
        await _timer.DisposeAsync().ConfigureAwait(false);
        await _parts.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task AdvanceAsync()
    {
        await foreach (bool _ in _due.Reader.ReadAllAsync(_stop.Token).ConfigureAwait(false))
        {
            try
            {
                Advance();
            }
            catch (Exception e) when (!_stop.IsCancellationRequested) // the boundary: nobody awaits this task, and flows that begin go on
            {
                _logger.AdvanceFailed(e);
                await Task.Delay(PauseAfterFailure, _time, _stop.Token).ConfigureAwait(false);
                _due.Writer.TryWrite(true);
            }
        }
    }

    private void Advance()
    {
        lock (_gate)
        {
            while (_answers.Reader.TryRead(out (FlowQuestion Question, Verdict Verdict, int Next) answer))
                _reclassifier.OnAnswer(
                    answer.Question, answer.Next == 0 ? answer.Verdict : _parts.Classifiers.Classify(answer.Question, answer.Next));
            _reclassifier.Advance();
            Arm();
        }

        DoResets();
    }

    /// <summary>
    /// What has come together since the last time, in few transactions, outside the lock: they may wait for others who change rules.
    /// </summary>
    private void DoResets()
    {
        while (_parts.Resets is { } calls)
        {
            ResetWork? work;
            lock (_gate)
                work = _reclassifier.TakeResets();
            if (work is null)
                return;
            work.Run(calls, _options.ResetWithin + ResetMargin);
            lock (_gate)
            {
                _reclassifier.OnResets(work);
                Arm();
            }
        }
    }

    private async Task SweepAsync()
    {
        await foreach (bool _ in _changed.Reader.ReadAllAsync(_stop.Token).ConfigureAwait(false))
        {
            await Task.Delay(ShortestPause, _time, _stop.Token).ConfigureAwait(false);
            List<AddressRange> ranges;
            lock (_rangesGate)
                (ranges, _ranges) = (_ranges, []);
            if (ranges.Count == 0)
                continue;
            long began = _time.GetTimestamp();
            TimeSpan pause;
            try
            {
                await SweepAsync(new AddressRanges(ranges)).ConfigureAwait(false);
                pause = _time.GetElapsedTime(began) * SweepShare;
            }
            catch (Exception e) when (!_stop.IsCancellationRequested) // the boundary, as above
            {
                _logger.SweepFailed($"{e.GetType().Name}: {e.Message}");
                foreach (AddressRange range in ranges)
                    Reconsider(range);
                pause = PauseAfterFailure;
            }

            await Task.Delay(pause, _time, _stop.Token).ConfigureAwait(false);
        }
    }

    private Task SweepAsync(AddressRanges ranges)
    {
        lock (_gate)
        {
            _reclassifier.Forget(ranges);
            _reclassifier.Counters.Sweeps++;
        }

        return _query(
            (in Flow flow) => ranges.ContainsEitherEnd(flow.Original),
            batch =>
            {
                lock (_gate)
                {
                    foreach (ref readonly FlowChange change in batch.Span)
                        _reclassifier.LookAgain(change.Flow);
                    Arm();
                }

                return ValueTask.CompletedTask;
            },
            _stop.Token);
    }

    private void Arm()
    {
        if (_reclassifier.HasResets)
            _due.Writer.TryWrite(true);
        if (_reclassifier.NextDue is { } due)
            _timer.Change(TimeSpan.FromMilliseconds(Math.Max(1, due - _reclassifier.Now)), Timeout.InfiniteTimeSpan);
    }

    private static Channel<bool> Signal() => Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
}
