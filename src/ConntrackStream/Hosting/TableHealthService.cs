using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Options;

namespace ConntrackStream.Service.Hosting;

/// <summary>Looks at the kernel's table at <see cref="TableHealthSettings.Interval"/>.</summary>
/// <param name="sample">Asks the kernel; called from one task only.</param>
internal sealed class TableHealthService(
    TableHealthSettings settings, Func<TableSample> sample, TimeProvider time, ILogger<TableHealthService> logger) : BackgroundService
{
    private readonly TableHealth _health = new(settings, time, logger);
    private readonly RepeatLimit _failed = new(settings.RepeatAfter, time);

    internal TableFill Fill => _health.Fill;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using PeriodicTimer timer = new(settings.Interval, time);
        try
        {
            do
                Look();
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The service ends.
        }
    }

    private void Look()
    {
        try
        {
            _health.Observe(sample());
        }
        catch (NetlinkException e)
        {
            if (_failed.IsDue())
                ServiceLog.TableUnreadable(logger, e.Message);
        }
    }
}
