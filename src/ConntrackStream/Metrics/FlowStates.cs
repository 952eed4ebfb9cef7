using System.Diagnostics.Metrics;
using ConntrackStream.Pipeline.LiveView;
using ConntrackStream.Pipeline.Modules;

namespace ConntrackStream.Service.Metrics;

/// <summary>
/// Flows by protocol and state, counted when a scraper comes. The walk through the view takes its time in slices between the events, so
/// only the scraper waits for it; scrapers that come together share one.
/// </summary>
/// <param name="count">Counts once.</param>
internal sealed class FlowStates(Func<CancellationToken, Task<FlowStateCounts>> count, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2); // less than a scraper has
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(5); // scrapers that come more often get the same numbers

    private readonly Lock _gate = new();
    private Task<FlowStateCounts>? _counting;
    private FlowStateCounts? _before; // of the last walk that was finished before
    private long _startedAt; // TimeProvider timestamp

    internal void Add(Instruments instruments) => instruments.Gauge(
        "protocol_flows", "Flows in the live view, by protocol and state.", () => Now() is { } now
            ? [.. now.Read().Select(static one => new Measurement<double>(
                one.Flows, Instruments.Label("protocol", one.Protocol), Instruments.Label("state", one.State)))]
            : []);

    /// <summary>Counts, unless that was done a moment ago. A loop that does not answer is waited for two seconds.</summary>
    internal async Task RefreshAsync(CancellationToken cancellation)
    {
        Task counting = Begin();
        await counting.WaitAsync(Patience, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellation.ThrowIfCancellationRequested();
    }

    /// <summary>
    /// For a listener that cannot wait, the last numbers until there are new ones. Null if the loop does not answer.
    /// </summary>
    private FlowStateCounts? Now()
    {
        Task<FlowStateCounts> counting = Begin();
        if (counting.IsCompletedSuccessfully)
            return counting.Result;
        lock (_gate)
            return time.GetElapsedTime(_startedAt) < Patience ? _before : null;
    }

    private Task<FlowStateCounts> Begin()
    {
        lock (_gate)
        {
            if (_counting is { IsCompleted: false } || (_counting is not null && time.GetElapsedTime(_startedAt) < Fresh))
                return _counting;
            _before = _counting is { IsCompletedSuccessfully: true } ? _counting.Result : null;
            _startedAt = time.GetTimestamp();
            return _counting = count(CancellationToken.None); // not one client's alone
        }
    }
}
