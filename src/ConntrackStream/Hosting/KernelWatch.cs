namespace ConntrackStream.Service.Hosting;

/// <summary>
/// Looks once a second at what other programs may change under the service: which network namespace has the followed name, the
/// sysctls that the stream relies on, and the size of the table. On a task of its own, since each look may wait for the kernel.
/// </summary>
internal sealed class KernelWatch(Func<CancellationToken, Task> look, TimeProvider time) : BackgroundService
{
    internal static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using PeriodicTimer timer = new(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
                await look(stoppingToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The service ends.
        }
    }
}
