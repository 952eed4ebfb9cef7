using ConntrackStream.Sinks.Fleet;
using ConntrackStream.Sinks.Fleet.Spool;
using ConntrackStream.Sinks.FlowLog;

namespace ConntrackStream.Sinks.Tests.Fleet;

/// <summary>With a server that refuses, and a clock that stands still.</summary>
public sealed class PublisherReloadTests
{
    [Fact]
    public async Task A_reload_does_not_wait_for_the_time_of_the_next_attempt()
    {
        RecordingLogger logger = new();
        Engine engine = new();
        await using Publisher publisher = new(
            engine, window: 1, new MessageQueue(spool: null, memoryLimit: 1 << 20),
            new FleetRecords(new FlowLogOptions { Host = "gw1" }).NewWriter(), new FleetCounters(), new VirtualTime(), logger);
        publisher.Start();
        await Eventually.TrueAsync(() => logger.Entries.Count == 2);
        Assert.Equal("No records can be sent to Engine, the next attempt is at once: refused", logger.Entries[0].Message);
        for (int attempts = 2; attempts < 5; attempts++)
        {
            Assert.Equal(attempts, engine.Attempts);
            publisher.Reload();
            await Eventually.TrueAsync(() => logger.Entries.Count == attempts + 1);
        }

        Assert.StartsWith("tries again in ", publisher.State, StringComparison.Ordinal);
    }

    private sealed class Engine : IFleetEngine
    {
        private int _attempts;

        public string Name => "Engine";

        public string Section => Name;

        public string Target => Name;

        internal int Attempts => Volatile.Read(ref _attempts);

        public void CheckFiles()
        {
        }

        public Task<IFleetLink> OpenAsync(CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _attempts);
            throw new FleetFailureException("refused");
        }
    }
}
