namespace ConntrackStream.Service.Hosting;

/// <summary>
/// Beats WATCHDOG=1 twice in each timeout, but only after the pipeline has answered: a stuck loop falls silent and systemd restarts the
/// service.
/// </summary>
/// <param name="progress">Completes true when the pipeline's loop took and answered a request; it may hang, that is what it is for.</param>
internal sealed class WatchdogService(
    SystemdNotifier notifier, Func<CancellationToken, Task<bool>> progress, TimeProvider time, ILogger<WatchdogService> logger)
    : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (notifier.WatchdogTimeout is not { } timeout)
            return;
        using PeriodicTimer timer = new(timeout / 2, time);
        Task<bool> answer = Task.FromResult(true);
        try
        {
            do
            {
                if (answer.IsCompletedSuccessfully)
                {
                    if (await answer.ConfigureAwait(false))
                        notifier.Watchdog();
                    answer = progress(stoppingToken);
                }
                else
                {
                    ServiceLog.NoProgress(logger, timeout);
                }
            }
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The drain has its own time limit; systemd's stop timeout takes over.
        }
    }
}
