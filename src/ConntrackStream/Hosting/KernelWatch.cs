using ConntrackStream.Pipeline.Loop;

namespace ConntrackStream.Service.Hosting;

/// <summary>
/// Looks once a second at what other programs may change under the service: which network namespace has the followed name, the
/// sysctls that the stream relies on, and the size of the table. On a thread of its own, since each look may wait for the kernel.
/// </summary>
internal sealed class KernelWatch(Func<CancellationToken, Task> look, TimeProvider time) : BackgroundService
{
    internal static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => OwnThread.Run("kernel-watch", () =>
    {
        using Pulse pulse = new(Interval, time);
        try
        {
            while (pulse.Wait(stoppingToken))
                look(stoppingToken).GetAwaiter().GetResult();
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The service ends.
        }
    });
}
