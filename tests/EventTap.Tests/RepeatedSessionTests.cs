using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.EventTap.Tests;

public class RepeatedSessionTests
{
    private static readonly TapReconnectOptions Defaults = new();

    [Fact]
    public async Task The_first_reopen_is_at_once_then_the_waits_grow_to_the_maximum_and_stay()
    {
        Session session = new(Defaults, new FixedRandom(0.5)); // the middle: no jitter
        session.FailAlways();
        Task run = session.Start();

        Assert.Equal(2, session.Attempts); // the first, and the one at once
        double[] seconds = [.. Enumerable.Range(0, 14).Select(_ => session.SkipWait().TotalSeconds)];
        double[] expected = [5, 7.5, 11.25, 16.875, 25.3125, 37.9688, 56.9531, 85.4297, 128.1445, 192.2168, 288.3252, 300, 300, 300];
        Assert.Equal(expected, seconds.Select(s => Math.Round(s, 4)));
        Assert.Equal(16, session.Attempts);
        await session.StopAsync(run);
    }

    [Theory]
    [InlineData(0.0, 2.5, 3.75)]
    [InlineData(0.999999999, 7.5, 11.25)]
    [InlineData(0.75, 6.25, 9.375)]
    public async Task Jitter_spreads_each_wait_by_half_of_it(double drawn, double first, double second)
    {
        Session session = new(Defaults, new FixedRandom(drawn));
        session.FailAlways();
        Task run = session.Start();
        Assert.Equal(first, session.SkipWait().TotalSeconds, 6);
        Assert.Equal(second, session.SkipWait().TotalSeconds, 6);
        await session.StopAsync(run);
    }

    [Fact]
    public async Task No_wait_exceeds_the_maximum_even_with_jitter()
    {
        Session session = new(Defaults, new Random(3));
        session.FailAlways();
        Task run = session.Start();
        TimeSpan[] waits = [.. Enumerable.Range(0, 200).Select(_ => session.SkipWait())];
        Assert.All(waits, wait => Assert.InRange(wait, TimeSpan.FromSeconds(2.5), Defaults.MaxDelay));
        Assert.True(waits.Skip(12).Distinct().Count() > 50, "they are spread");
        await session.StopAsync(run);
    }

    [Fact]
    public async Task A_socket_that_dies_young_continues_the_waits_and_a_healthy_one_begins_anew()
    {
        Session session = new(Defaults, new FixedRandom(0.5));
        Task run = session.Start();
        session.Die(after: TimeSpan.FromSeconds(1));
        Assert.Equal(2, session.Attempts); // at once

        session.Die(after: TimeSpan.FromSeconds(59));
        Assert.Equal(2, session.Attempts);
        Assert.Equal(5, session.SkipWait().TotalSeconds);
        session.Die(after: TimeSpan.FromSeconds(59));
        Assert.Equal(7.5, session.SkipWait().TotalSeconds);

        session.Die(after: TimeSpan.FromSeconds(60));
        Assert.Equal(5, session.Attempts); // at once
        session.Die(after: TimeSpan.FromSeconds(1));
        Assert.Equal(5, session.SkipWait().TotalSeconds);
        await session.StopAsync(run);
    }

    [Fact]
    public async Task The_time_between_failures_is_not_health()
    {
        Session session = new(Defaults, new FixedRandom(0.5));
        session.FailAlways();
        Task run = session.Start();
        for (int i = 0; i < 10; i++)
            session.SkipWait(); // the last of them longer than HealthyAfter
        Assert.Equal(288.3252, session.SkipWait().TotalSeconds, 4);
        await session.StopAsync(run);
    }

    [Fact]
    public async Task Stop_during_a_wait_returns_without_time_passing()
    {
        Session session = new(Defaults, new FixedRandom(0.5));
        session.FailAlways();
        Task run = session.Start();
        Assert.Single(session.Time.Due);
        await session.StopAsync(run);
        Assert.Empty(session.Time.Due);
    }

    [Fact]
    public async Task A_hurried_wait_ends_at_once_and_the_next_one_is_as_long_as_it_would_have_been()
    {
        Session session = new(Defaults, new FixedRandom(0.5));
        session.FailAlways();
        Task run = session.Start();
        Assert.Equal((2, 5), (session.Attempts, session.LastWait.TotalSeconds));
        session.Hurry();
        await Eventually.TrueAsync(() => session.Time.Due.Count == 2); // the timer that was cut short is of no consequence
        Assert.Equal((3, 7.5), (session.Attempts, session.LastWait.TotalSeconds));
        session.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(3, session.Attempts);
        session.Time.Advance(TimeSpan.FromSeconds(2.5));
        Assert.Equal(4, session.Attempts);
        await session.StopAsync(run);
    }

    [Fact]
    public async Task Only_failures_of_the_socket_are_retried()
    {
        RepeatedSession<NetlinkException> session = New(Defaults, new VirtualTime(), new FixedRandom(0.5), _ => { });
        int attempts = 0;
        ValueTask Fail(CancellationToken token) =>
            ++attempts == 1 ? throw new NetlinkException("opening", Errno.ENOMEM) : throw new InvalidOperationException();
        await Assert.ThrowsAsync<InvalidOperationException>(() => session.RunAsync(Fail, TestContext.Current.CancellationToken).AsTask());
        Assert.Equal(2, attempts);
    }

    private static RepeatedSession<NetlinkException> New(
        TapReconnectOptions options, TimeProvider time, Random random, Action<TimeSpan> onWait) =>
        new(options.NewBackoff(random), options.HealthyAfter, time, (wait, _) => onWait(wait));

    /// <summary>Stands for the tap's session: fails, or lives until told to die.</summary>
    private sealed class Session
    {
        private readonly RepeatedSession<NetlinkException> _repeated;
        private readonly CancellationTokenSource _stop = new();
        private bool _failAlways;
        private TaskCompletionSource? _life;

        internal Session(TapReconnectOptions options, Random random) =>
            _repeated = New(options, Time, random, wait => LastWait = wait);

        internal VirtualTime Time { get; } = new();

        internal int Attempts { get; private set; }

        internal TimeSpan LastWait { get; private set; }

        internal void Hurry() => _repeated.Hurry();

        internal void FailAlways() => _failAlways = true;

        internal Task Start() => _repeated.RunAsync(RunAsync, _stop.Token).AsTask();

        internal void Die(TimeSpan after)
        {
            Time.Advance(after);
            _life!.SetException(new NetlinkException("receiving", Errno.ENOTSOCK));
        }

        /// <summary>Lets the announced wait pass: nothing happens before its end, one attempt at it.</summary>
        internal TimeSpan SkipWait()
        {
            TimeSpan wait = LastWait;
            int before = Attempts;
            TimeSpan due = Time.Due[0] - Time.GetUtcNow();
            Assert.InRange(due, wait - TimeSpan.FromMilliseconds(1), wait); // Task.Delay counts whole milliseconds
            Time.Advance(due - TimeSpan.FromTicks(1));
            Assert.Equal(before, Attempts);
            Time.Advance(TimeSpan.FromTicks(1));
            Assert.Equal(before + 1, Attempts);
            return wait;
        }

        internal async Task StopAsync(Task run)
        {
            await _stop.CancelAsync();
            _life?.TrySetCanceled();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
        }

        private async ValueTask RunAsync(CancellationToken token)
        {
            Attempts++;
            if (_failAlways)
                throw new NetlinkException("opening", Errno.ENOMEM);
            _repeated.Begun();
            _life = new TaskCompletionSource(); // continues on the thread that ends it: the test's
            await _life.Task;
        }
    }
}
