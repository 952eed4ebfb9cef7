using Polly;
using Polly.Retry;

namespace ConntrackStream.Sinks.Reclassify.External;

/// <summary>
/// Repeats a session with the external classifier for ever, after waits of 1 s, 2 s, 4 s … up to 60 s, each up to a quarter longer or
/// shorter by chance. A session that lasted a minute begins the waits anew.
/// </summary>
internal sealed class ExternalRestart
{
    private const double Jitter = 0.25;
    private static readonly TimeSpan InitialDelay = TimeSpan.FromSeconds(1),
        MaxDelay = TimeSpan.FromSeconds(60),
        HealthyAfter = TimeSpan.FromSeconds(60);

    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ResiliencePipeline _pipeline;
    private int _failures; // since the last healthy session
    private long? _begunAt;

    /// <param name="time">For the waits.</param>
    /// <param name="random">For their jitter.</param>
    /// <param name="onWait">Told how long the wait is and why.</param>
    internal ExternalRestart(TimeProvider time, Random random, Action<TimeSpan, string> onWait)
    {
        (_time, _random) = (time, random);
        _pipeline = new ResiliencePipelineBuilder { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions
            {
                ShouldHandle = new PredicateBuilder().Handle<IOException>(),
                MaxRetryAttempts = int.MaxValue,
                DelayGenerator = _ => ValueTask.FromResult<TimeSpan?>(NextDelay()),
                OnRetry = arguments =>
                {
                    onWait(arguments.RetryDelay, arguments.Outcome.Exception!.Message);
                    return ValueTask.CompletedTask;
                },
            })
            .Build();
    }

    /// <summary>To be called by a session when it is connected.</summary>
    internal void Begun() => _begunAt = _time.GetTimestamp();

    /// <summary>Runs sessions, each of which ends by an exception, until <paramref name="stop"/>.</summary>
    internal ValueTask RunAsync(Func<CancellationToken, ValueTask> session, CancellationToken stop) =>
        _pipeline.ExecuteAsync(session, stop);

    private TimeSpan NextDelay()
    {
        if (_begunAt is { } begunAt && _time.GetElapsedTime(begunAt) >= HealthyAfter)
            _failures = 0;
        _begunAt = null;
        double grown = Math.Min(InitialDelay.TotalSeconds * Math.Pow(2, Math.Min(_failures++, 16)), MaxDelay.TotalSeconds);
        double spread = grown * (1 + (Jitter * ((2 * _random.NextDouble()) - 1)));
        return TimeSpan.FromSeconds(Math.Clamp(spread, InitialDelay.TotalSeconds, MaxDelay.TotalSeconds));
    }
}
