using System.Globalization;
using System.Net.Sockets;
using System.Threading.Channels;
using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.Reclassify.External;

/// <summary>
/// Asks a program in any language, over its pipes or a Unix socket (docs/plugins.md). Whatever it does, a question has its answer by the
/// deadline, be it to keep the flow where it is; the program is watched, ended when it is of no use, and started again.
/// </summary>
public sealed class ExternalClassifier : IFlowClassifier
{
    internal const string Origin = "external"; // of its answers, and their reason where they give none

    private static readonly TimeSpan FirstRestart = TimeSpan.FromSeconds(1), LongestRestart = TimeSpan.FromSeconds(60);

    private readonly ExternalOptions _options;
    private readonly IReadOnlyList<string> _pathNames;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly QuestionTable _table;
    private readonly Channel<long> _unsent;
    private readonly Verdict _noAnswer;
    private readonly long _deadline; // in units of timestamps
    private readonly CancellationTokenSource _stop = new();
    private readonly RepeatedSession<IOException> _sessions;

    private IClassifierHost? _host;
    private ExternalSessionParts? _parts;
    private ITimer? _timer;
    private Task _running = Task.CompletedTask;
    private volatile ExternalState _state = new("not started");
    private volatile ExternalSession? _session; // null while there is nobody to ask
    private volatile bool _hasKept; // flows for lack of somebody to ask, since there last was one

    /// <param name="options">Valid and configured.</param>
    /// <param name="pathNames">Names that an answer may give.</param>
    /// <param name="time">Of deadlines and waits.</param>
    /// <param name="logger">For its own messages and the program's standard error.</param>
    public ExternalClassifier(ExternalOptions options, IReadOnlyList<string> pathNames, TimeProvider time, ILogger logger)
    {
        (_options, _pathNames, _time, _logger) = (options, pathNames, time, logger);
        _table = new QuestionTable(options.MaxOutstanding);
        int room = Math.Max(options.MaxOutstanding, 2 * ExternalSession.MaxMissedInRow); // so that a hang shows
        _unsent = Channel.CreateBounded<long>(new BoundedChannelOptions(room) { SingleReader = true, SingleWriter = true });
        _noAnswer = ExternalVerdicts.NoAnswer(options.Deadline);
        _deadline = (long)(options.Deadline.TotalSeconds * time.TimestampFrequency);
        Backoff backoff = new(FirstRestart, LongestRestart) { Jitter = 0.25, Shortest = FirstRestart };
        _sessions = new RepeatedSession<IOException>(backoff, healthyAfter: LongestRestart, time, OnWait);
    }

    public string Name => Origin;

    /// <summary>A client's connections to one port of one destination are one question: the first of them is asked about.</summary>
    public QuestionFields Fields => QuestionFields.All & ~QuestionFields.SourcePort;

    /// <summary>For metrics.</summary>
    public ExternalCounters Counters { get; } = new();

    public ClassifierStatus Status
    {
        get
        {
            ExternalState state = _state;
            string text = state.Text;
            if (state.RestartsAt is { } at)
            {
                double seconds = Math.Max(0, Math.Ceiling(_time.GetElapsedTime(_time.GetTimestamp(), at).TotalSeconds));
                text = $"restarts {WaitText.Of(TimeSpan.FromSeconds(seconds))}: {text}";
            }

            return new ClassifierStatus(Name, state.IsWorking, string.Create(
                CultureInfo.InvariantCulture, $"{text}, {Counters.Asked} asked, {Counters.Answered} answered, {Counters.Late} late"));
        }
    }

    /// <exception cref="ExternalClassifierException">The program's file or user is not as it must be. One that
    /// fails later is started again.</exception>
    public ValueTask StartAsync(IClassifierHost host, CancellationToken cancellationToken)
    {
        if (_options.Command.Length > 0 && ChildPeer.Problem(_options) is { } problem)
            throw new ExternalClassifierException($"Reclassify:External:Command: {problem}");
        _host = host;
        _parts = NewParts(host);
        _timer = _time.CreateTimer(_ => Expire(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _running = RunAsync();
        return ValueTask.CompletedTask;
    }

    public Verdict Classify(in FlowQuestion question)
    {
        ExternalSession? session = _session;
        if (session is null)
            return Refuse(ExternalVerdicts.NotRunning);
        QuestionTable.Added added = _table.TryAdd(question, _time.GetTimestamp(), out long id);
        if (added == QuestionTable.Added.WasOpen)
            return new Verdict(VerdictKind.Pending);
        if (added == QuestionTable.Added.NoRoom)
            return Refuse(ExternalVerdicts.Busy);
        // it does not read: the ids of questions past their deadlines fill the queue
        if (!_unsent.Writer.TryWrite(id) && _table.TryTake(id, out _))
        {
            session.Missed();
            return Refuse(ExternalVerdicts.Busy);
        }

        Interlocked.Increment(ref Counters.Asked);
        if (added == QuestionTable.Added.AsOnly)
            Arm(_options.Deadline);
        return new Verdict(VerdictKind.Pending);
    }

    /// <summary>What it answered stands: asking the same again would only take its time.</summary>
    public Verdict Confirm(in FlowQuestion question) => new(VerdictKind.Pending);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        if (_timer is not null)
            await _timer.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            await _sessions.RunAsync(TrySessionAsync, _stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            _state = new ExternalState("stopped");
        }
    }

    /// <summary>Whatever ends a session, the next one is tried: nobody awaits this task.</summary>
    private async ValueTask TrySessionAsync(CancellationToken stop)
    {
        try
        {
            await SessionAsync(stop).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not IOException && !stop.IsCancellationRequested)
        {
            throw new ExternalClassifierException($"{e.GetType()}: {e.Message}", e);
        }
    }

    private async ValueTask SessionAsync(CancellationToken stop)
    {
        _state = new ExternalState("starting");
        ExternalPeer peer = _options.Command.Length > 0
            ? ChildPeer.Start(_options, _time, _logger)
            : await ConnectAsync(stop).ConfigureAwait(false);
        string reason;
        await using (peer.ConfigureAwait(false))
        {
            ExternalSession session = new(peer, _parts!);
            _sessions.Begun();
            _state = new ExternalState(peer.Text, IsWorking: true);
            _session = session;
            _logger.ExternalBegun(peer.Text);
            if (_hasKept)
                AskAgain();
            try
            {
                (reason, bool isItsEnd) = await session.RunAsync(stop).ConfigureAwait(false);
                _session = null;
                _state = new ExternalState($"is ended, as it {reason}");
                string? end = await peer.EndAsync().ConfigureAwait(false);
                reason = isItsEnd && end is not null ? end : reason;
            }
            finally
            {
                _session = null;
                CloseQuestions();
            }
        }

        throw new ExternalClassifierException(reason);
    }

    private async ValueTask<ExternalPeer> ConnectAsync(CancellationToken stop)
    {
        try
        {
            return await SocketPeer.ConnectAsync(_options.Socket!, _options.User, stop).ConfigureAwait(false);
        }
        catch (SocketException e)
        {
            throw new ExternalClassifierException($"{_options.Socket} cannot be connected to: {e.Message}", e);
        }
    }

    private void OnWait(TimeSpan wait, IOException failure)
    {
        Interlocked.Increment(ref Counters.Restarts);
        long restartsAt = _time.GetTimestamp() + (long)(wait.TotalSeconds * _time.TimestampFrequency);
        _state = new ExternalState(failure.Message, RestartsAt: restartsAt);
        _logger.ExternalEnded(WaitText.Of(wait), failure.Message);
    }

    private Verdict Refuse(in Verdict verdict)
    {
        _hasKept = true;
        Interlocked.Increment(ref Counters.Refused);
        return verdict;
    }

    /// <summary>Flows that stayed only because nobody was there are looked at again.</summary>
    private void AskAgain()
    {
        _hasKept = false;
        _host!.Reconsider(AddressRange.All(FlowFamily.IPv4));
        _host.Reconsider(AddressRange.All(FlowFamily.IPv6));
    }

    private void CloseQuestions()
    {
        while (_unsent.Reader.TryRead(out _))
        {
        }

        while (_table.TryTakeOldest(long.MaxValue, out FlowQuestion question))
        {
            _hasKept = true;
            Interlocked.Increment(ref Counters.Unanswered);
            _host!.Answer(question, ExternalVerdicts.Ended);
        }
    }

    private void Arm(TimeSpan due) =>
        _timer!.Change(TimeSpan.FromMilliseconds(Math.Max(1, Math.Ceiling(due.TotalMilliseconds))), Timeout.InfiniteTimeSpan);

    private void Expire()
    {
        while (_table.TryTakeOldest(_time.GetTimestamp() - _deadline, out FlowQuestion question))
        {
            Interlocked.Increment(ref Counters.Unanswered);
            _host!.Answer(question, _noAnswer);
            _session?.Missed();
        }

        if (_table.OldestAskedAt is { } oldest)
            Arm(_time.GetElapsedTime(_time.GetTimestamp(), oldest + _deadline));
    }

    private ExternalSessionParts NewParts(IClassifierHost host) => new()
    {
        Options = _options,
        PathNames = _pathNames,
        Host = host,
        Time = _time,
        Logger = _logger,
        Counters = Counters,
        Table = _table,
        Unsent = _unsent.Reader,
    };
}
