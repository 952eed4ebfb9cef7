using ConntrackStream.Service.Hosting;
using ConntrackStream.Service.Options;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Service.Tests.Hosting;

public sealed class TableHealthServiceTests
{
    /// <summary>The kernel may take seconds to answer, and the pool has few threads, which the loop, the sinks and the API share.</summary>
    [Fact]
    public async Task The_kernel_is_not_asked_on_a_thread_of_the_pool()
    {
        TaskCompletionSource<bool> asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using TableHealthService service = new(
            new TableHealthSettings(),
            () =>
            {
                asked.TrySetResult(Thread.CurrentThread.IsThreadPoolThread);
                return new TableSample(1, 1000, 0, 0, 0);
            },
            new FakeTimeProvider(),
            NullLogger<TableHealthService>.Instance);
        await service.StartAsync(TestContext.Current.CancellationToken);
        Assert.False(await asked.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        await service.StopAsync(TestContext.Current.CancellationToken);
    }
}
