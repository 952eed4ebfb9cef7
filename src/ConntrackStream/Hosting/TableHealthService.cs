using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Options;

namespace ConntrackStream.Service.Hosting;

/// <summary>Looks at the kernel's table at <see cref="TableHealthSettings.Interval"/>.</summary>
/// <param name="sample">Asks the kernel; called once at a time, on a thread that may wait.</param>
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
                await LookAsync().ConfigureAwait(false);
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The service ends.
        }
    }

    /// <summary>
    /// On a thread of its own: the kernel does not answer while another program flushes the table, and the pool, with two threads on two
    /// processors, has the loop, the sinks and the API to serve.
    /// </summary>
    private Task LookAsync() => Task.Factory.StartNew(Look, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

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
