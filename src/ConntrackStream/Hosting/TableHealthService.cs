using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Loop;
using ConntrackStream.Service.Metrics;
using ConntrackStream.Service.Options;

namespace ConntrackStream.Service.Hosting;

/// <summary>Looks at the kernel's table at <see cref="TableHealthSettings.Interval"/>.</summary>
/// <param name="sample">Asks the kernel; called once at a time, on a thread that may wait.</param>
/// <param name="onRefused">Called after a look that shows that connections were refused since the one before.</param>
internal sealed class TableHealthService(
    TableHealthSettings settings, Func<TableSample> sample, TimeProvider time, ILogger<TableHealthService> logger,
    Action<RefusedFlows>? onRefused = null) : BackgroundService
{
    private readonly RefusalWatch _refusals = new();
    private readonly TableHealth _health = new(settings, time, logger);
    private readonly RepeatLimit _failed = new(settings.RepeatAfter, time);

    private volatile TableSample? _last;

    internal TableFill Fill => _health.Fill;

    /// <summary>What the last look showed; null before the first, and when the kernel did not answer.</summary>
    internal TableSample? Last => _last;

    /// <summary>
    /// On a thread of its own: the kernel does not answer while another program flushes the table, and the pool, with two threads on two
    /// processors, has the API to serve.
    /// </summary>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => OwnThread.Run("table-health", () =>
    {
        using Pulse pulse = new(settings.Interval, time);
        do
            Look();
        while (pulse.Wait(stoppingToken));
    });

    private void Look()
    {
        try
        {
            long asked = time.UnixNanoseconds();
            TableSample now = sample();
            if (_refusals.Observe(now, asked, time.UnixNanoseconds()) is { } refused)
                onRefused?.Invoke(refused);
            _health.Observe(now);
            _last = now;
        }
        catch (NetlinkException e)
        {
            _last = null;
            if (_failed.IsDue())
                ServiceLog.TableUnreadable(logger, e.Message);
        }
    }
}
