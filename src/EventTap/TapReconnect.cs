using ConntrackStream.EventTap.Netlink;
using Polly;
using Polly.Retry;

namespace ConntrackStream.EventTap;

/// <summary>
/// Repeats a session (open the socket, read it until it fails) for ever: after the first failure at once, then after growing waits. A
/// session that lived long enough begins the waits anew. One loop at a time.
/// </summary>
internal sealed class TapReconnect
{
    private readonly TapReconnectOptions _options;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ResiliencePipeline _pipeline;
    private int _failures; // since the last healthy session
    private long? _openedAt; // timestamp; null while no socket is open

    internal TapReconnect(TapReconnectOptions options, TimeProvider time, Random random, Action<TimeSpan> onWait)
    {
        _options = options;
        _time = time;
        _random = random;
        _pipeline = new ResiliencePipelineBuilder { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions
            {
                ShouldHandle = new PredicateBuilder().Handle<NetlinkException>(),
                MaxRetryAttempts = int.MaxValue,
                DelayGenerator = _ => ValueTask.FromResult<TimeSpan?>(NextDelay()),
                OnRetry = arguments =>
                {
                    onWait(arguments.RetryDelay);
                    return ValueTask.CompletedTask;
                },
            })
            .Build();
    }

    /// <summary>To be called by a session when its socket is open.</summary>
    internal void Opened() => _openedAt = _time.GetTimestamp();

    /// <summary>How long the session's socket lives by now.</summary>
    internal TimeSpan Lived => _openedAt is { } openedAt ? _time.GetElapsedTime(openedAt) : TimeSpan.Zero;

    /// <summary>
    /// Runs sessions until one returns, throws anything but a <see cref="NetlinkException"/>, or <paramref name="stop"/> ends a wait.
    /// </summary>
    internal ValueTask RunAsync(Func<CancellationToken, ValueTask> session, CancellationToken stop) =>
        _pipeline.ExecuteAsync(session, stop);

    private TimeSpan NextDelay()
    {
        if (_openedAt is not null && Lived >= _options.HealthyAfter)
            _failures = 0;
        _openedAt = null;
        return DelayAfter(_failures++);
    }

    private TimeSpan DelayAfter(int failures)
    {
        if (failures == 0)
            return TimeSpan.Zero;
        double grown = _options.InitialDelay.TotalSeconds * Math.Pow(_options.Factor, failures - 1);
        double capped = Math.Min(grown, _options.MaxDelay.TotalSeconds);
        double spread = capped * (1 + (_options.Jitter * ((2 * _random.NextDouble()) - 1)));
        return TimeSpan.FromSeconds(Math.Min(spread, _options.MaxDelay.TotalSeconds));
    }
}
