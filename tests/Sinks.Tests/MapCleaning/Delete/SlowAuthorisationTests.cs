using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Tests.Kit;
using ConntrackStream.Sinks.MapCleaning.Delete;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.Tests.MapCleaning.Delete;

/// <summary>The delete stage while a question to the kernel waits: what happens meanwhile counts, not only the answer.</summary>
public sealed class SlowAuthorisationTests : IAsyncDisposable
{
    private static readonly Flow A = ViewHarness.Udp(1);
    private static readonly MapKey KeyA = CleaningHarness.Key(A), KeyB = CleaningHarness.Key(ViewHarness.Udp(2));

    private readonly CleaningHarness _harness = new();
    private readonly SemaphoreSlim _answers = new(0), _questions = new(0);

    [Fact]
    public async Task A_flow_that_starts_before_the_answer_keeps_its_entry_and_an_end_begins_the_grace_anew()
    {
        _harness.Map[KeyB] = default;
        await NominatedAsync();
        await QuestionAsync();
        _harness.Kernel.Event(FlowEventType.New, A); // the kernel's answer, that there is no such flow, was made before
        _harness.Kernel.Event(FlowEventType.Destroy, A);
        await Eventually.TrueAsync(() => _harness.Counters is { CancelledByNew: 1, NominatedByEnd: 1 });
        Answer(2);
        await Eventually.TrueAsync(() => !_harness.Map.Has(KeyB)); // about both there was one question
        Assert.Equal((true, 1), (_harness.Map.Has(KeyA), _harness.Map.Takes));
    }

    [Fact]
    public async Task After_a_loss_before_the_answer_the_kernel_is_asked_again()
    {
        await NominatedAsync();
        await QuestionAsync();
        _harness.Kernel.BarriersLost = true; // no resync yet
        _harness.Kernel.Say(TapMessageKind.Overrun, lost: 1); // the NEW of A
        await Eventually.TrueAsync(() => !_harness.Kernel.Pipeline.Status.Synced);
        Answer();
        await _harness.SettleAsync();
        Assert.Equal((true, 0, 1), (_harness.Map.Has(KeyA), _harness.Map.Takes, _harness.Status.Tombstones));

        _harness.Kernel.Table[A.Original] = A;
        _harness.Kernel.BarriersLost = false;
        _harness.Kernel.Say(TapMessageKind.Connected);
        await Eventually.TrueAsync(() => _harness.Kernel.Pipeline.Status.Synced);
        Answer(100);
        await Eventually.TrueAsync(() => _harness.Status.Tombstones == 0);
        Assert.Equal((true, 0), (_harness.Map.Has(KeyA), _harness.Map.Takes));
    }

    [Fact]
    public async Task A_flow_that_starts_before_the_second_answer_has_its_entry_put_back_at_once()
    {
        await TakenAsync();
        _harness.Kernel.Event(FlowEventType.New, A);
        await Eventually.TrueAsync(() => _harness.Counters.Restored == 1);
        Assert.True(_harness.Map.Has(KeyA));
        Answer();
        await _harness.SettleAsync();
        Assert.Equal((1, 1), (_harness.Counters.Deleted, _harness.Counters.Restored));
    }

    [Fact]
    public async Task The_window_does_not_end_before_the_second_answer()
    {
        await TakenAsync();
        bool isOver = false;
        _harness.Before = step => isOver |= step == DeleteStep.Disarm;
        _harness.Kernel.Time.Advance(2 * CleaningHarness.Window);
        await _harness.SettleAsync();
        Assert.Equal((1, false), (_harness.Status.Armed, isOver));
        _harness.Kernel.Table[A.Original] = A; // and its NEW was lost
        Answer();
        await Eventually.TrueAsync(() => _harness.Counters.Restored == 1);
        Assert.True(_harness.Map.Has(KeyA));
    }

    [Fact]
    public async Task The_end_of_the_service_waits_for_the_last_check()
    {
        await TakenAsync();
        Task stop = _harness.Kernel.Pipeline.StopAsync();
        await _harness.SettleAsync();
        Assert.False(stop.IsCompleted);
        _harness.Kernel.Table[A.Original] = A;
        Answer(100);
        await stop.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.True(_harness.Map.Has(KeyA));
    }

    [Fact]
    public async Task What_waits_is_put_to_the_kernel_a_few_at_a_time_and_all_of_it_goes()
    {
        Flow[] flows = [.. Enumerable.Range(1, 100).Select(static port => ViewHarness.Udp((ushort)port))];
        foreach (Flow flow in flows)
            _harness.Map[CleaningHarness.Key(flow)] = default;
        await NominatedAsync();
        int before = _harness.Kernel.Answers;
        Answer(1000);
        await Eventually.TrueAsync(() => _harness.Counters.Deleted == flows.Length);
        await _harness.SettleAsync();
        Assert.InRange(_harness.Kernel.Answers - before, flows.Length / 8, flows.Length / 2); // two questions, no window has ended
        Assert.Equal(flows.Length, _harness.Status.Armed);
    }

    public async ValueTask DisposeAsync()
    {
        Answer(1000);
        await _harness.DisposeAsync();
        _answers.Dispose();
        _questions.Dispose();
    }

    /// <summary>The key's grace is over, so the kernel is being asked.</summary>
    private async Task NominatedAsync()
    {
        _harness.Kernel.BeforeAnswer = () =>
        {
            _questions.Release();
            _answers.Wait();
        };
        _harness.Map[KeyA] = default;
        await _harness.StartAsync();
        await _harness.AdvanceAsync(CleaningHarness.Grace);
        await _harness.AuditAsync();
        await _harness.AdvanceAsync(CleaningHarness.Grace);
    }

    /// <summary>The first answer was that there is no flow; the second one waits.</summary>
    private async Task TakenAsync()
    {
        await NominatedAsync();
        await QuestionAsync();
        Answer();
        await Eventually.TrueAsync(() => _harness.Status.Armed == 1);
        await QuestionAsync();
    }

    private async Task QuestionAsync() =>
        Assert.True(await _questions.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));

    private void Answer(int count = 1) => _answers.Release(count);
}
