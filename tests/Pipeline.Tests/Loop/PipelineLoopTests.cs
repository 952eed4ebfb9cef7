using System.Reactive.Concurrency;
using System.Threading.Channels;
using ConntrackStream.EventTap;
using ConntrackStream.Pipeline.Loop;

namespace ConntrackStream.Pipeline.Tests.Loop;

public sealed class PipelineLoopTests
{
    /// <summary>The machine's clock has no timer that would wake the loop: it must not sleep longer than until what is due.</summary>
    [Fact]
    public async Task Work_that_is_due_runs_in_a_loop_that_nothing_else_wakes()
    {
        Channel<TapMessage> messages = Channel.CreateBounded<TapMessage>(1);
        using PipelineLoop loop = new(messages.Reader, new ThreadParker(), TimeProvider.System, static _ => { }, static () => { });
        TaskCompletionSource late = new(TaskCreationOptions.RunContinuationsAsynchronously);
        List<string> order = [];
        loop.Scheduler.Schedule(TimeSpan.FromHours(1), () => order.Add("hour"));
        loop.Scheduler.Schedule(TimeSpan.FromMilliseconds(10), () =>
        {
            order.Add("first");
            loop.Scheduler.Schedule(TimeSpan.FromMilliseconds(10), () =>
            {
                order.Add("second");
                late.SetResult();
            });
        });
        IDisposable cancelled = loop.Scheduler.Schedule(TimeSpan.FromMilliseconds(1), () => order.Add("cancelled"));
        cancelled.Dispose();
        Task run = loop.RunAsync();
        await late.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        messages.Writer.Complete();
        loop.Wake();
        await run;
        Assert.Equal(["first", "second"], order);
    }
}
