using System.Globalization;
using ConntrackStream.EventTap;
using ConntrackStream.Sinks.Otlp.Options;
using ConntrackStream.Sinks.Text;
using Polly;
using Polly.Retry;

namespace ConntrackStream.Sinks.Otlp.Transport;

/// <summary>
/// Sends requests, one at a time, each again until the collector accepts or refuses it. It waits as long as the collector asks for, or with
/// growing delays.
/// </summary>
internal sealed class Delivery : IDisposable
{
    // A collector may ask for any wait; more than this is a mistake on its side. Less would be no wait.
    private static readonly TimeSpan LongestAsked = TimeSpan.FromHours(1), ShortestAsked = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1), LongestWait = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan WarningInterval = TimeSpan.FromMinutes(10);

    private readonly OtlpClient _client;
    private readonly OtlpSignal _signal;
    private readonly string _collector;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Backoff _backoff = new(FirstWait, LongestWait) { Jitter = 0.25 };
    private readonly ResiliencePipeline<ExportResult> _retries;
    private volatile string _state = "not started";
    private volatile CancellationTokenSource? _wait; // ends the waits of the present request
    private long? _warnedAt, _refusalAt, _partialAt; // timestamps

    internal Delivery(OtlpOptions options, OtlpSignal signal, TimeProvider time, ILogger logger)
    {
        (_signal, _time, _logger) = (signal, time, logger);
        _client = new OtlpClient(options, signal, time);
        _collector = options.Endpoint;
        _retries = new ResiliencePipelineBuilder<ExportResult> { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions<ExportResult>
            {
                ShouldHandle = static arguments => ValueTask.FromResult(arguments.Outcome.Result?.Outcome == ExportOutcome.Retry),
                MaxRetryAttempts = int.MaxValue,
                DelayGenerator = arguments => ValueTask.FromResult<TimeSpan?>(WaitAfter(arguments.Outcome.Result!)),
                OnRetry = arguments =>
                {
                    OnRetry(arguments.Outcome.Result!, arguments.RetryDelay);
                    return ValueTask.CompletedTask;
                },
            })
            .Build();
    }

    /// <summary>What it is doing.</summary>
    internal string State => _state;

    /// <summary>The last attempt reached the collector, and it took the request.</summary>
    internal bool IsConnected { get; private set; }

    /// <summary>The collector has not taken a request since an attempt failed.</summary>
    internal bool IsFailing { get; private set; }

    /// <summary>Called when an attempt has failed and is to be repeated.</summary>
    internal Action? Failed { get; init; }

    /// <summary>Attempts that failed and may be repeated.</summary>
    internal long Retries { get; private set; }

    /// <summary>Requests accepted.</summary>
    internal long Accepted { get; private set; }

    /// <summary>Requests refused.</summary>
    internal long Refused { get; private set; }

    public void Dispose() => _client.Dispose();

    /// <summary>A new connection, with the files as they are now, at once. From any thread.</summary>
    internal void Renew()
    {
        _client.Renew();
        try
        {
            _wait?.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The request was finished meanwhile.
        }
    }

    /// <param name="message">With room before it, as <see cref="OtlpClient.Prepare"/> needs it.</param>
    /// <returns>Accepted or refused.</returns>
    /// <exception cref="OperationCanceledException">By <paramref name="stop"/>; what became of the request is unknown.</exception>
    internal async ValueTask<ExportResult> SendAsync(Memory<byte> message, CancellationToken stop)
    {
        ReadOnlyMemory<byte> prepared = _client.Prepare(message);
        while (true)
        {
            using CancellationTokenSource wait = CancellationTokenSource.CreateLinkedTokenSource(stop);
            _wait = wait;
            try
            {
                // An attempt under way is not cut off by the end of a wait: the collector might get the request twice.
                ExportResult result = await _retries.ExecuteAsync(_ => _client.SendAsync(prepared, stop), wait.Token).ConfigureAwait(false);
                Done(result);
                return result;
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                // Renewed.
            }
            finally
            {
                _wait = null;
            }
        }
    }

    private TimeSpan WaitAfter(ExportResult result)
    {
        TimeSpan ours = _backoff.Next();
        return result.After is { } asked ? TimeSpan.FromTicks(Math.Clamp(asked.Ticks, ShortestAsked.Ticks, LongestAsked.Ticks)) : ours;
    }

    private void OnRetry(ExportResult result, TimeSpan wait)
    {
        (IsConnected, IsFailing) = (false, true);
        Retries++;
        _state = $"tries again {WaitText.Of(wait)}: {result.Reason}";
        if (IsDue(ref _warnedAt))
            _logger.NotSent(_signal.Name, _collector, result.Words, WaitText.Of(wait));
        Failed?.Invoke();
    }

    private void Done(ExportResult result)
    {
        _backoff.Reset();
        if (result.Outcome == ExportOutcome.Refused)
        {
            Refused++;
            (IsConnected, _state) = (false, $"refused: {result.Reason}");
            if (IsDue(ref _refusalAt))
                _logger.Refused(_signal.Name, _collector, result.Words);
            return;
        }

        Accepted++;
        (IsConnected, _state) = (true, "accepted");
        if (Accepted == 1 || IsFailing)
            _logger.Accepted(_signal.Name, _collector);
        (IsFailing, _warnedAt) = (false, null);
        if ((result.Rejected > 0 || result.Reason is not null) && IsDue(ref _partialAt))
            _logger.PartlyRejected(_signal.Name, _collector, result.Rejected, result.Words);
    }

    private bool IsDue(ref long? loggedAt)
    {
        if (loggedAt is { } at && _time.GetElapsedTime(at) < WarningInterval)
            return false;
        loggedAt = _time.GetTimestamp();
        return true;
    }
}
