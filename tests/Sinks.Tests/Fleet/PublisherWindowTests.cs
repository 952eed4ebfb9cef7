using ConntrackStream.Sinks.Fleet;
using ConntrackStream.Sinks.Fleet.Spool;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Tests.Fleet.Spool;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Sinks.Tests.Fleet;

/// <summary>How many messages are under way, to an engine that answers when the test wants it.</summary>
public sealed class PublisherWindowTests : IDisposable
{
    private const int Window = 4, Messages = 10;

    private readonly SpoolRig _rig = new();

    public void Dispose() => _rig.Dispose();

    [Fact]
    public async Task No_more_than_the_window_is_sent_before_answers_come()
    {
        MessageQueue queue = new(spool: null, memoryLimit: 1 << 20);
        for (ulong number = 1; number <= Messages; number++)
            Assert.True(queue.TryAdd(_rig.Frame(number, number), _rig.Header(number, number)));
        Engine engine = new();
        SequencedWriter gaps = new FleetRecords(new FlowLogOptions { Host = "gw1" }).NewWriter();
        await using Publisher publisher = new(
            engine, Window, queue, gaps, new FleetCounters(), TimeProvider.System, NullLogger.Instance);
        publisher.Start();
        for (int answered = 0; answered < Messages; answered += engine.Answer())
            await Eventually.TrueAsync(() => engine.Open > 0);
        Assert.True(await publisher.DrainAsync(TimeSpan.FromSeconds(20)));
        Assert.Equal(Window, engine.MostOpen);
    }

    private sealed class Engine : IFleetEngine, IFleetLink
    {
        private readonly Lock _lock = new();
        private readonly List<TaskCompletionSource<SendResult>> _open = [];

        public string Name => "Engine";

        public string Section => Name;

        public string Target => Name;

        public string Server => Name;

        public CancellationToken Lost => CancellationToken.None;

        public string? Reason => null;

        public string? Obstacle => null;

        internal int MostOpen { get; private set; }

        internal int Open
        {
            get
            {
                lock (_lock)
                    return _open.Count;
            }
        }

        /// <summary>Answers all.</summary>
        internal int Answer()
        {
            TaskCompletionSource<SendResult>[] answered;
            lock (_lock)
            {
                answered = [.. _open];
                _open.Clear();
            }

            foreach (TaskCompletionSource<SendResult> one in answered)
                one.SetResult(new SendResult(SendOutcome.Stored));
            return answered.Length;
        }

        public Task<SendResult> SendAsync(Message message, CancellationToken ended)
        {
            TaskCompletionSource<SendResult> sent = new(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (_lock)
            {
                _open.Add(sent);
                MostOpen = Math.Max(MostOpen, _open.Count);
            }

            return sent.Task;
        }

        public void CheckFiles()
        {
        }

        public Task<IFleetLink> OpenAsync(CancellationToken cancellationToken) => Task.FromResult<IFleetLink>(this);

        public void GiveWay()
        {
        }

        public ValueTask DisposeAsync() => default;
    }
}
