using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Pipeline;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Kernel.Tests;

/// <summary>Neither the loop nor the tap's thread sends a request to the kernel: debug builds, as the tests', refuse it there.</summary>
public sealed class NeverWaitsTests
{
    [Fact]
    public async Task A_request_on_the_loop_is_refused()
    {
        using KernelNamespace space = new();
        await using ViewRig rig = new(space);
        await rig.StartAsync();
        using NetworkNamespace net = NetworkNamespace.OpenName(space.Name);
        using ConntrackClient client = net.Run(static () => new ConntrackClient());
        Exception? refused = null, alsoRefused = null;
        await rig.Pipeline.RunOnLoopAsync(() =>
        {
            refused = Record.Exception(() => client.Count());
            alsoRefused = Record.Exception(() => client.HasInterface(1));
        });
        Assert.IsType<InvalidOperationException>(refused);
        Assert.IsType<InvalidOperationException>(alsoRefused);
        Assert.Equal((0, true), (client.Count(), client.HasInterface(1))); // not elsewhere
    }

    [Fact]
    public async Task A_request_on_the_taps_thread_is_refused()
    {
        using KernelNamespace space = new();
        using NetworkNamespace net = NetworkNamespace.OpenName(space.Name);
        using ConntrackClient client = net.Run(static () => new ConntrackClient());
        IntrudingTime time = new(client);
        await using KernelSource source = new(new TapOptions { Namespace = net }, time, NullLoggerFactory.Instance);
        await using FlowPipeline pipeline = new(
            source.Source, [], new PipelineOptions(), TimeProvider.System, new NullLogger<FlowPipeline>());
        await pipeline.StartAsync(TestContext.Current.CancellationToken);
        await source.Tap.StartAsync(TestContext.Current.CancellationToken);
        Assert.IsType<InvalidOperationException>(
            await time.Refused.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        await source.Tap.StopAsync();
    }

    /// <summary>Makes a request on the tap's own thread, which asks for the time in each round.</summary>
    private sealed class IntrudingTime(ConntrackClient client) : TimeProvider
    {
        public TaskCompletionSource<Exception?> Refused { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override DateTimeOffset GetUtcNow()
        {
            if (Thread.CurrentThread.Name == "conntrack-tap" && !Refused.Task.IsCompleted)
                Refused.TrySetResult(Record.Exception(() => client.Count()));
            return base.GetUtcNow();
        }
    }
}
