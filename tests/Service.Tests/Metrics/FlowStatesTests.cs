using System.Diagnostics.Metrics;
using ConntrackStream.Pipeline.LiveView;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Service.Metrics;

namespace ConntrackStream.Service.Tests.Metrics;

public sealed class FlowStatesTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly Meter _meter = new("test");
    private readonly List<TaskCompletionSource<FlowStateCounts>> _walks = [];
    private readonly FlowStates _states;
    private readonly MetricFamily _family;

    public FlowStatesTests()
    {
        _states = new FlowStates(
            _ =>
            {
                _walks.Add(new TaskCompletionSource<FlowStateCounts>());
                return _walks[^1].Task;
            },
            _time);
        Instruments instruments = new(_meter);
        _states.Add(instruments);
        _family = instruments.Families[0];
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _meter.Dispose();

    [Fact]
    public async Task Scrapers_that_come_together_share_a_walk_and_those_of_the_next_five_seconds_its_result()
    {
        Task one = _states.RefreshAsync(Cancellation), other = _states.RefreshAsync(Cancellation);
        _walks[0].SetResult(new FlowStateCounts());
        await one;
        await other;
        _time.Advance(TimeSpan.FromSeconds(4.9));
        await _states.RefreshAsync(Cancellation);
        Assert.Single(_walks);
        Assert.NotEmpty(_family.Read());
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Task later = _states.RefreshAsync(Cancellation);
        Assert.Equal(2, _walks.Count);
        _walks[1].SetResult(new FlowStateCounts());
        await later;
    }

    [Fact]
    public async Task A_loop_that_hangs_costs_the_scraper_two_seconds_and_these_numbers()
    {
        Task refreshed = _states.RefreshAsync(Cancellation);
        _time.Advance(TimeSpan.FromSeconds(1.9));
        Assert.False(refreshed.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        await refreshed;
        Assert.Empty(_family.Read());
        _time.Advance(TimeSpan.FromMinutes(1));
        Task again = _states.RefreshAsync(Cancellation);
        Assert.Single(_walks); // no second one is put before a loop that hangs
        _walks[0].SetResult(new FlowStateCounts());
        await again;
    }

    [Fact]
    public async Task A_scraper_that_leaves_does_not_end_the_walk_of_others()
    {
        using CancellationTokenSource leaves = new();
        Task left = _states.RefreshAsync(leaves.Token), stays = _states.RefreshAsync(Cancellation);
        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        _walks[0].SetResult(new FlowStateCounts());
        await stays;
        Assert.NotEmpty(_family.Read());
    }

    [Fact]
    public void A_listener_that_cannot_wait_gets_the_numbers_of_the_walk_before()
    {
        Assert.Empty(_family.Read()); // begins a walk
        _walks[0].SetResult(new FlowStateCounts());
        Assert.NotEmpty(_family.Read());
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.NotEmpty(_family.Read());
        Assert.Equal(2, _walks.Count);
    }
}
