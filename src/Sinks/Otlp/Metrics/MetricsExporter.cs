using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Otlp.Options;
using ConntrackStream.Sinks.Otlp.Transport;

namespace ConntrackStream.Sinks.Otlp.Metrics;

/// <summary>
/// Sends the metrics at an interval. A reading that the collector has not taken when the next is due is given up: the next has it all,
/// since counters are cumulative.
/// </summary>
internal sealed class MetricsExporter : IAsyncDisposable
{
    private static readonly TimeSpan LastAttempt = TimeSpan.FromSeconds(2); // for the last reading

    private readonly MetricsReading _reading;
    private readonly TimeSpan _interval;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;
    private int _isStopped;

    internal MetricsExporter(OtlpOptions options, MetricsReading reading, TimeProvider time, ILogger logger)
    {
        (_reading, _interval, _time) = (reading, options.MetricsInterval, time);
        Delivery = new Delivery(options, OtlpSignal.Metrics, time, logger);
    }

    internal Delivery Delivery { get; }

    internal void Start() => _running = Task.Run(RunAsync);

    /// <summary>Sends a last reading, for two seconds at most, and ends.</summary>
    internal async Task StopAsync()
    {
        if (Interlocked.Exchange(ref _isStopped, 1) != 0)
            return;
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        if (Delivery.IsConnected) // else there is nothing to wait for
            await SendAsync(LastAttempt, CancellationToken.None).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        _isStopped = 1;
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        Delivery.Dispose();
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            using PeriodicTimer timer = new(_interval, _time);
            while (await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false))
                await SendAsync(_interval, _stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The end.
        }
    }

    /// <exception cref="OperationCanceledException">By <paramref name="stop"/>.</exception>
    private async Task SendAsync(TimeSpan patience, CancellationToken stop)
    {
        using CancellationTokenSource limit = new(patience, _time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stop);
        try
        {
            await Delivery.SendAsync(_reading.Read(_time.UnixNanoseconds()), either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            // The next reading is due.
        }
    }
}
