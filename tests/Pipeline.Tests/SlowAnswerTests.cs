using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Tests.Kit;

namespace ConntrackStream.Pipeline.Tests;

/// <summary>The pipeline while a question to the kernel waits, as for another program's flush.</summary>
public sealed class SlowAnswerTests : IAsyncDisposable
{
    private static readonly Flow A = ViewHarness.Udp(1), B = ViewHarness.Udp(2);

    private readonly ScriptedKernel _kernel = new();
    private readonly ManualResetEventSlim _answers = new();
    private readonly TaskCompletionSource _isAsked = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_loop_goes_on_and_the_doubtful_event_is_applied_in_the_end()
    {
        await DoubtAsync();
        _kernel.Event(FlowEventType.New, B);
        Assert.Equal("Started/Event", await _kernel.NextAsync());
        Assert.NotNull(await _kernel.Pipeline.FindAsync(A.Original, Cancel));
        _answers.Set();
        Assert.Equal("Ended/Event", await _kernel.NextAsync());
        Assert.Null(await _kernel.Pipeline.FindAsync(A.Original, Cancel));
    }

    [Fact]
    public async Task A_round_waits_for_the_answer_about_what_came_before_its_barrier()
    {
        await DoubtAsync();
        await _kernel.Pipeline.RequestAuditAsync(Cancel);
        int dumps = _kernel.Dumps;
        _kernel.Event(FlowEventType.New, B);
        Assert.Equal("Started/Event", await _kernel.NextAsync()); // the barrier, which came before it, has been seen
        Assert.Equal(dumps, _kernel.Dumps);
        _answers.Set();
        Assert.Equal("Ended/Event", await _kernel.NextAsync());
        await _kernel.UntilAsync(() => _kernel.Pipeline.Status.Rounds == 2);
        Assert.Equal(dumps + 1, _kernel.Dumps);
    }

    [Fact]
    public async Task The_end_of_the_service_waits_for_it()
    {
        await DoubtAsync();
        Task drain = _kernel.Pipeline.DrainAsync(TimeSpan.FromHours(1));
        _kernel.Event(FlowEventType.New, B);
        Assert.Equal("Started/Event", await _kernel.NextAsync());
        Assert.False(drain.IsCompleted);
        _answers.Set();
        await drain.WaitAsync(TimeSpan.FromSeconds(30), Cancel);
        await _kernel.Pipeline.StopAsync();
        Assert.Equal("Ended/Event", await _kernel.NextAsync());
    }

    [Fact]
    public async Task What_waits_behind_a_doubt_at_the_very_end_is_not_left_out()
    {
        await DoubtAsync();
        _kernel.Event(FlowEventType.New, A with { Id = 99 }); // another entry: A ended unseen, at the latest now
        await _kernel.Pipeline.RequestAuditAsync(Cancel); // a call behind it
        Task stop = _kernel.Pipeline.StopAsync();
        await _kernel.Pipeline.Completion.WaitAsync(TimeSpan.FromSeconds(30), Cancel); // the loop has ended before the answer
        _answers.Set();
        await stop;
        Assert.Equal("Ended/Event", await _kernel.NextAsync());
        Assert.Equal("Started/Event", await _kernel.NextAsync());
    }

    [Fact]
    public async Task A_sweep_waits_for_the_kernel_and_events_do_not()
    {
        await SweepAsync();
        _kernel.Event(FlowEventType.New, B);
        Assert.Equal("Started/Event", await _kernel.NextAsync());
        _answers.Set();
        Assert.Equal("Ended/Audit", await _kernel.NextAsync());
    }

    /// <summary>
    /// An expired entry is deleted by the question about it: its DESTROY is on the socket before the answer, and read after it.
    /// </summary>
    [Fact]
    public async Task A_DESTROY_that_is_read_after_the_kernels_no_is_the_flows_end()
    {
        await SweepAsync();
        _kernel.BeforeBarrier = () => _kernel.Event(FlowEventType.Destroy, A);
        _answers.Set();
        Assert.Equal("Ended/Event", await _kernel.NextAsync());
        await _kernel.UntilAsync(() => _kernel.Pipeline.Status.Rounds == 2);
        Assert.Equal(0, _kernel.Pipeline.Status.LastRound!.Result.Ghosts);
    }

    /// <summary>Its collector, say, lost the processor between hiding the entry and sending the DESTROY.</summary>
    [Fact]
    public async Task A_DESTROY_that_is_sent_a_moment_after_the_kernels_no_is_the_flows_end()
    {
        await SweepAsync();
        _answers.Set();
        await Eventually.TrueAsync(() => _kernel.Answers == 1);
        await _kernel.SettleAsync(); // it has been taken
        _kernel.Event(FlowEventType.Destroy, A);
        Assert.Equal("Ended/Event", await _kernel.NextAsync());
    }

    [Fact]
    public async Task A_sweep_whose_socket_closes_before_the_last_barrier_is_done_again()
    {
        await SweepAsync();
        _kernel.BarriersLost = true;
        _kernel.BeforeBarrier = () => _kernel.Say(TapMessageKind.Disconnected);
        _answers.Set();
        await _kernel.UntilAsync(() => !_kernel.Pipeline.Status.Synced);
        Assert.NotNull(await _kernel.Pipeline.FindAsync(A.Original, Cancel));
        _kernel.BarriersLost = false;
        _kernel.BeforeBarrier = null;
        _kernel.Say(TapMessageKind.Connected);
        Assert.Equal("Ended/Dump", await _kernel.NextAsync());
        Assert.Equal("Gap Reconnect ? recovered 1", await _kernel.NextAsync());
    }

    public async ValueTask DisposeAsync()
    {
        _answers.Set();
        await _kernel.DisposeAsync();
        _answers.Dispose();
    }

    /// <summary>A lives in the view, and the kernel's table has no A: a round asks.</summary>
    private async Task SweepAsync()
    {
        await StartAsync();
        _kernel.Event(FlowEventType.New, A);
        Assert.Equal("Started/Event", await _kernel.NextAsync());
        await _kernel.Pipeline.RequestAuditAsync(Cancel);
        await _isAsked.Task.WaitAsync(TimeSpan.FromSeconds(30), Cancel);
    }

    private async Task StartAsync()
    {
        _kernel.BeforeAnswer = () =>
        {
            _isAsked.TrySetResult();
            _answers.Wait();
        };
        _kernel.CountAnswer = 0;
        await _kernel.StartAsync();
        await _kernel.Pipeline.FirstSync.WaitAsync(Cancel);
    }

    /// <summary>A lives in the view, and its predecessor's DESTROY is told again, or it is its own: the kernel is being asked.</summary>
    private async Task DoubtAsync()
    {
        await StartAsync();
        foreach (FlowEventType type in new[] { FlowEventType.New, FlowEventType.Destroy, FlowEventType.New, FlowEventType.Destroy })
            _kernel.Event(type, A);
        foreach (string change in new[] { "Started/Event", "Ended/Event", "Started/Event" })
            Assert.Equal(change, await _kernel.NextAsync());
        await _isAsked.Task.WaitAsync(TimeSpan.FromSeconds(30), Cancel);
    }
}
