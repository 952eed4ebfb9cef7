using ConntrackStream.Sinks.Fleet;
using ConntrackStream.Sinks.Fleet.Collect;
using ConntrackStream.Sinks.Tests.FlowLog;

namespace ConntrackStream.Sinks.Tests.Fleet.Collect;

/// <summary>How often a server that fails is tried.</summary>
public sealed class CollectorOnceTests : IDisposable
{
    private const int Succeeds = 0, Fails = 1, Progresses = 2; // and fails

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(true, new[] { Fails, Fails, Succeeds }, null)]
    [InlineData(true, new[] { Fails, Fails, Fails }, "failure 3")]
    [InlineData(true, new[] { Fails, Fails, Progresses, Fails, Progresses, Fails, Fails }, "failure 7")]
    [InlineData(false, new[] { Fails, Fails, Fails, Fails, Succeeds }, null)] // for ever
    public async Task Once_three_attempts_in_a_row_bring_nothing_and_it_ends(bool isOnce, int[] script, string? failure)
    {
        VirtualTime time = new();
        Source source = new(script);
        Collector collector = new(
            source, new CollectOptions { Directory = _directory.Path, Once = isOnce }, time, new RecordingLogger());
        Task<string?> run = collector.RunAsync(TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(() =>
        {
            time.Advance(TimeSpan.FromMinutes(1)); // longer than any wait
            return run.IsCompleted;
        });
        Assert.Equal(failure, await run);
        Assert.Equal(script.Length, source.Attempts);
    }

    private sealed class Source(int[] script) : ICollectSource
    {
        public int Parts => 1;

        internal int Attempts { get; private set; }

        public void CheckFiles()
        {
        }

        public Task ReadAsync(IReadOnlyList<HostLogs> parts, Action begun, CancellationToken end)
        {
            int outcome = script[Attempts++];
            if (outcome == Progresses)
                parts[0].Refuse("somebody's", "no message of a node");
            return outcome == Succeeds ? Task.CompletedTask : throw new FleetFailureException($"failure {Attempts}");
        }
    }
}
