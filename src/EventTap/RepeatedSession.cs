using Polly;
using Polly.Retry;

namespace ConntrackStream.EventTap;

/// <summary>
/// Repeats a session (open a socket or start a program, use it until it fails) for ever, with the waits of a <see cref="Backoff"/>. A
/// session that lived long enough begins the waits again. One loop at a time. One source, compiled into every project that repeats one.
/// </summary>
/// <typeparam name="TFailure">How a session fails; anything else ends the loop.</typeparam>
internal sealed class RepeatedSession<TFailure>
    where TFailure : Exception
{
    private readonly Backoff _backoff;
    private readonly TimeSpan _healthyAfter;
    private readonly TimeProvider _time;
    private readonly ResiliencePipeline _pipeline;
    private long? _begunAt; // timestamp; null while there is no session
    private TimeSpan _wait; // before the next session
    private volatile TaskCompletionSource _hurried = new(); // since the last session's begin

    /// <param name="healthyAfter">A session that lived so long begins the waits again.</param>
    internal RepeatedSession(Backoff backoff, TimeSpan healthyAfter, TimeProvider time, Action<TimeSpan, TFailure> onWait)
    {
        (_backoff, _healthyAfter, _time) = (backoff, healthyAfter, time);
        _pipeline = new ResiliencePipelineBuilder { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions
            {
                ShouldHandle = new PredicateBuilder().Handle<TFailure>(),
                MaxRetryAttempts = int.MaxValue,
                DelayGenerator = _ =>
                {
                    _wait = NextDelay();
                    return ValueTask.FromResult<TimeSpan?>(TimeSpan.Zero); // its own wait could not be cut short
                },
                OnRetry = arguments =>
                {
                    onWait(_wait, (TFailure)arguments.Outcome.Exception!);
                    return WaitAsync(arguments.Context.CancellationToken);
                },
            })
            .Build();
    }

    /// <summary>To be called by a session when its socket is open, or its program runs.</summary>
    internal void Begun() => _begunAt = _time.GetTimestamp();

    /// <summary>How long the session has lived.</summary>
    internal TimeSpan Lived => _begunAt is { } begunAt ? _time.GetElapsedTime(begunAt) : TimeSpan.Zero;

    /// <summary>
    /// Runs sessions until one returns, throws anything but a <typeparamref name="TFailure"/>, or <paramref name="stop"/> ends a wait.
    /// </summary>
    internal ValueTask RunAsync(Func<CancellationToken, ValueTask> session, CancellationToken stop) => _pipeline.ExecuteAsync(
        end =>
        {
            _hurried = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return session(end);
        },
        stop);

    /// <summary>Ends the wait for the next session, or that which follows the current one's failure. From any thread.</summary>
    internal void Hurry() => _hurried.TrySetResult();

    private async ValueTask WaitAsync(CancellationToken stop)
    {
        if (_wait <= TimeSpan.Zero)
            return;
        await Task.WhenAny(Task.Delay(_wait, _time, stop), _hurried.Task).ConfigureAwait(false);
        stop.ThrowIfCancellationRequested();
    }

    private TimeSpan NextDelay()
    {
        if (_begunAt is not null && Lived >= _healthyAfter)
            _backoff.Reset();
        _begunAt = null;
        return _backoff.Next();
    }
}
