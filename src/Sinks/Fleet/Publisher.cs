using ConntrackStream.EventTap;
using ConntrackStream.Sinks.Fleet.Spool;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.Fleet;

/// <summary>
/// Sends the messages of the queue in order, with a window of them unacknowledged. What fails ends the connection; the next one begins
/// with the messages of the window that are not known to be stored, under the same ids. Nothing here runs on the sink's thread, so a server
/// that is away never holds it up.
/// </summary>
internal sealed class Publisher : IAsyncDisposable
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1), LongestWait = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan HealthyAfter = TimeSpan.FromSeconds(10);

    private readonly IFleetEngine _engine;
    private readonly int _mostInFlight;
    private readonly MessageQueue _queue;
    private readonly LossRecord _losses;
    private readonly FleetCounters _counters;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Used by the publisher's task only.
    private readonly Queue<SentMessage> _window = [];
    private readonly RepeatedSession<FleetFailureException> _sessions;
    private Message? _afterLoss; // taken, behind a gap that is sent first

    private Task _run = Task.CompletedTask;
    private volatile bool _reloadRequested;
    private volatile bool _drainRequested;
    private IFleetLink? _link; // of the session
    private string _state = "connects";
    private bool _isConnected;
    private int _inFlight;

    internal Publisher(
        IFleetEngine engine, int window, MessageQueue queue, SequencedWriter gapWriter, FleetCounters counters, TimeProvider time,
        ILogger logger)
    {
        (_engine, _mostInFlight, _queue, _counters, _time, _logger) = (engine, window, queue, counters, time, logger);
        _losses = new LossRecord(gapWriter);
        Backoff backoff = new(FirstWait, LongestWait) { BeginsAtOnce = true, Jitter = 0.25 };
        _sessions = new RepeatedSession<FleetFailureException>(backoff, HealthyAfter, time, OnWait);
    }

    /// <summary>For people: what it is doing.</summary>
    internal string State => Obstacle is { } obstacle ? $"waits: {obstacle}" : Volatile.Read(ref _state);

    internal bool IsConnected => Volatile.Read(ref _isConnected) && Obstacle is null;

    private string? Obstacle => Volatile.Read(ref _link)?.Obstacle;

    /// <summary>Messages that are sent and not acknowledged.</summary>
    internal int InFlight => Volatile.Read(ref _inFlight);

    internal void Start()
    {
        if (_queue.Spool is { } spool)
            _losses.StartAfter(spool.Acknowledged);
        _run = Task.Run(RunAsync);
    }

    /// <summary>Files are read again, for a new connection that is made at once. From any thread.</summary>
    internal void Reload()
    {
        _reloadRequested = true;
        Volatile.Read(ref _link)?.GiveWay();
        _sessions.Hurry();
        _queue.Wake();
    }

    /// <summary>Waits until everything is acknowledged, at most so long.</summary>
    internal async Task<bool> DrainAsync(TimeSpan patience)
    {
        _drainRequested = true;
        _queue.Wake();
        Task ended = Task.WhenAny(_drained.Task, _run);
        await ended.WaitAsync(patience, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return _drained.Task.IsCompleted;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _run.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            await _sessions.RunAsync(SessionsAsync, _stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The end.
        }
#pragma warning disable CA1031 // the boundary to a foreign library: what it may throw besides is not known, and must be seen
        catch (Exception e)
#pragma warning restore CA1031
        {
            Volatile.Write(ref _state, $"failed: {e.Message}");
            Volatile.Write(ref _isConnected, false);
            _logger.PublisherFailed(_engine.Name, e);
        }
    }

    /// <summary>One connection after the other, as long as it is a reload that ends them.</summary>
    private async ValueTask SessionsAsync(CancellationToken stop)
    {
        while (true)
            await SessionAsync(stop).ConfigureAwait(false);
    }

    private async Task SessionAsync(CancellationToken stop)
    {
        _reloadRequested = false;
        IFleetLink link = await _engine.OpenAsync(stop).ConfigureAwait(false);
        await using (link.ConfigureAwait(false))
        {
            using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(stop, link.Lost);
            _sessions.Begun();
            _counters.Connections++;
            _logger.Connected(_engine.Name, link.Server, _engine.Target);
            Volatile.Write(ref _link, link);
            Volatile.Write(ref _state, $"connected to {link.Server}");
            Volatile.Write(ref _isConnected, true);
            try
            {
                await PublishAsync(link, ended.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                throw new FleetFailureException(link.Reason is { } reason ? $"the connection ended: {reason}" : "the connection ended");
            }
            finally
            {
                await ended.CancelAsync().ConfigureAwait(false); // a wait for messages that goes on would take the next session's
                Volatile.Write(ref _isConnected, false);
                Volatile.Write(ref _link, null);
            }
        }
    }

    /// <returns>When a reload was requested, and everything sent is acknowledged.</returns>
    private async Task PublishAsync(IFleetLink link, CancellationToken ended)
    {
        foreach (SentMessage again in _window.Where(static sent => !sent.IsStored))
            again.Result = link.SendAsync(again.Message, ended);
        Task? added = null;
        while (true)
        {
            Fill(link, ended);
            await AcknowledgeAsync(ended).ConfigureAwait(false);
            ended.ThrowIfCancellationRequested();
            if (NextToAwait() is { } awaited)
            {
                bool isFull = _window.Count >= _mostInFlight || _reloadRequested;
                added ??= isFull ? null : _queue.WaitAsync(ended);
                await (added is null ? (Task)awaited.Result : Task.WhenAny(awaited.Result, added)).ConfigureAwait(false);
            }
            else if (_reloadRequested)
            {
                _logger.Reconnecting(_engine.Section);
                return;
            }
            else if (_queue.IsEmpty && _afterLoss is null)
            {
                if (_drainRequested)
                    _drained.TrySetResult();
                await (added ??= _queue.WaitAsync(ended)).ConfigureAwait(false);
            }

            if (added is { IsCompleted: true })
                added = null;
        }
    }

    /// <summary>
    /// The message to be woken for when it is answered, which is none of the first half of the window: answers come in order, so many are
    /// there then. Null when the window is empty.
    /// </summary>
    private SentMessage? NextToAwait() =>
        _window.Skip(_window.Count / 2).FirstOrDefault(static sent => !sent.Result.IsCompleted) ?? _window.FirstOrDefault();

    private void Fill(IFleetLink link, CancellationToken ended)
    {
        while (!_reloadRequested && _window.Count < _mostInFlight && Take() is { } message)
            _window.Enqueue(new SentMessage(message) { Result = link.SendAsync(message, ended) });
        Volatile.Write(ref _inFlight, _window.Count);
    }

    /// <summary>The next message, or the gap before it.</summary>
    private Message? Take()
    {
        Message? next = _afterLoss ?? _queue.TryTake();
        _afterLoss = null;
        if (next is null || _losses.Before(next.Header) is not { } loss)
            return next;
        _afterLoss = next;
        _counters.Lost += loss.Header.Records;
        _logger.LostInSpool(loss.Header.Records);
        return loss;
    }

    /// <summary>In order: what stands behind a message that is not stored is not acknowledged before it.</summary>
    private async Task AcknowledgeAsync(CancellationToken ended)
    {
        while (_window.TryPeek(out SentMessage? head) && head.Result.IsCompleted)
        {
            SendResult result = await head.Result.ConfigureAwait(false);
            if (!result.IsStored)
                throw await FailAsync(result, ended).ConfigureAwait(false);
            _window.Dequeue();
            Count(head.Message, result);
            _queue.Acknowledge(head.Message);
        }

        Volatile.Write(ref _inFlight, _window.Count);
    }

    private async Task<Exception> FailAsync(SendResult first, CancellationToken ended)
    {
        foreach (SentMessage sent in _window)
        {
            SendResult result = await sent.Result.ConfigureAwait(false);
            _counters.Refused += result.Outcome == SendOutcome.Refused ? 1 : 0;
            _counters.Unanswered += result.Outcome == SendOutcome.Unanswered ? 1 : 0;
        }

        ended.ThrowIfCancellationRequested();
        return new FleetFailureException(first.Reason ?? "no answer");
    }

    private void Count(Message message, SendResult result)
    {
        _counters.Messages++;
        _counters.Records += message.IsLoss ? 1 : message.Header.Records;
        _counters.Bytes += message.Lines.Length;
        _counters.Duplicates += result.Outcome == SendOutcome.Duplicate ? 1 : 0;
    }

    private void OnWait(TimeSpan wait, FleetFailureException failure)
    {
        string when = WaitText.Of(wait);
        Volatile.Write(ref _state, $"tries again {when}: {failure.Message}");
        _logger.NotSent(_engine.Name, when, failure.Message);
        _queue.Spool?.Expire();
    }
}
