using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Hosting;
using ConntrackStream.Service.Metrics;
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
    [Fact]
    public async Task A_kernel_that_fails_is_asked_at_each_interval_and_complained_of_once()
    {
        TableHealthSettings settings = new();
        FakeTimeProvider time = new();
        RecordingLogger<TableHealthService> logger = new();
        using SemaphoreSlim asked = new(0);
        int looks = 0;
        using TableHealthService service = new(
            settings,
            () =>
            {
                asked.Release();
                return ++looks < 3
                    ? throw new NetlinkException("reading the size of the conntrack table", Errno.ENOBUFS)
                    : new TableSample(900, 1000, 0, 0, 0);
            },
            time,
            logger);
        await service.StartAsync(TestContext.Current.CancellationToken);
        for (int i = 0; i < 3; i++)
        {
            Assert.True(await asked.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
            time.Advance(settings.Interval); // kept for it, should it not wait yet
        }

        Assert.True(await asked.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken)); // the third look is over
        await service.StopAsync(TestContext.Current.CancellationToken);
        Assert.Single(
            logger.Entries, static entry => entry.Message.StartsWith("The connection table's health cannot be", StringComparison.Ordinal));
        Assert.Equal(TableFill.Warning, service.Fill);
    }
}
