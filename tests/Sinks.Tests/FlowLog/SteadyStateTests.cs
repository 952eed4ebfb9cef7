using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.FlowLog;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Sinks.Tests.FlowLog;

/// <summary>A storm through loop, view, queue and flow log, once all of it is warm: nothing is allocated for an event.</summary>
[Collection(nameof(AloneCollection))]
public sealed class SteadyStateTests
{
    private const int Flows = 100_000, Rounds = 5; // each begins and ends: a million events

    [Fact]
    public async Task A_million_events_bring_no_collection()
    {
        (double bytes, int collections) = await MeasureAsync(allocates: false);
        Assert.Equal(0, collections);
        Assert.InRange(bytes, 0, 1); // an event: what a batch, a wait or a timer costs
    }

    [Fact]
    public async Task One_object_an_event_would_be_seen()
    {
        (double bytes, int collections) = await MeasureAsync(allocates: true);
        Assert.InRange(bytes, 1000, 2000);
        Assert.NotEqual(0, collections);
    }

    private static async Task<(double Bytes, int Collections)> MeasureAsync(bool allocates)
    {
        LogSink sink = new(allocates);
        PipelineSource source = new();
        await using FlowPipeline pipeline = new(
            source, [sink], new PipelineOptions(), TimeProvider.System, NullLogger<FlowPipeline>.Instance);
        await pipeline.StartAsync(TestContext.Current.CancellationToken);
        Storm storm = new(source, sink);
        storm.Run(); // rows, batches and code are there after it
        GC.Collect();
        long before = GC.GetTotalAllocatedBytes(precise: true);
        int collections = GC.CollectionCount(0);
        for (int round = 0; round < Rounds; round++)
            storm.Run();
        long allocated = GC.GetTotalAllocatedBytes(precise: true) - before;
        return (allocated / (2.0 * Flows * Rounds), GC.CollectionCount(0) - collections);
    }

    /// <summary>Ahead of the sink by some batches at most, since more of them would be allocated than are kept.</summary>
    private sealed class Storm(PipelineSource source, LogSink sink)
    {
        private readonly FlowBatchPool _pool = new();
        private long _written;

        internal void Run()
        {
            foreach (FlowEventType type in (ReadOnlySpan<FlowEventType>)[FlowEventType.New, FlowEventType.Destroy])
            {
                for (int first = 0; first < Flows; first += FlowBatch.Capacity)
                    Write(type, first, Math.Min(FlowBatch.Capacity, Flows - first));
            }

            WaitUntilBehind(0);
        }

        private void Write(FlowEventType type, int first, int count)
        {
            FlowBatch batch = _pool.Rent();
            for (int n = first; n < first + count; n++)
            {
                ref FlowEvent e = ref batch.Next();
                Fill(ref e, n);
                e.Type = type;
                batch.Commit();
            }

            TapMessage message = new(TapMessageKind.Events) { Batch = batch };
            SpinWait wait = default;
            while (!source.Writer.TryWrite(message))
                wait.SpinOnce();
            _written += count;
            WaitUntilBehind(8 * FlowBatch.Capacity);
        }

        private static void Fill(ref FlowEvent e, int n)
        {
            e.Time = UnixTime.ToUnixTimeNanoseconds(TimeProvider.System.GetUtcNow());
            e.Flow.Id = (uint)n;
            e.Flow.Present = FlowFields.BothTuples | FlowFields.Id;
            e.Flow.Original = new FlowTuple
            {
                Source = new IpAddress(0, 0x0A000001),
                Destination = new IpAddress(0, 0x0B000000u + (uint)n),
                SourcePort = 1024,
                DestinationPort = 53,
                Protocol = IpProtocol.Udp,
                Family = FlowFamily.IPv4,
            };
            e.Flow.Reply = e.Flow.Original with
            {
                Source = e.Flow.Original.Destination,
                Destination = e.Flow.Original.Source,
                SourcePort = 53,
                DestinationPort = 1024,
            };
        }

        private void WaitUntilBehind(int most)
        {
            SpinWait wait = default;
            while (_written - sink.Taken > most)
                wait.SpinOnce();
        }
    }

    /// <summary>The flow log's own buffer and records, to no file.</summary>
    private sealed class LogSink : IFlowSink
    {
        private readonly RecordBuffer _buffer;
        private readonly bool _allocates;
        private long _taken;

        internal LogSink(bool allocates)
        {
            _allocates = allocates;
            FlowRecordWriter writer = new("host", networkNamespace: null, new FlowLogOptions().Directions(), communityId: false);
            _buffer = new RecordBuffer(new NoOutput(), writer, new FlowLogCounters(), TimeProvider.System, NullLogger.Instance);
        }

        public string Name => "log";

        internal long Taken => Interlocked.Read(ref _taken);

        internal object? Last { get; private set; }

        public ValueTask StartAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask WriteAsync(FlowChangeBatch batch, CancellationToken cancellationToken)
        {
            foreach (ref readonly FlowChange change in batch.Span)
            {
                _buffer.Append(change, cancellationToken);
                if (_allocates)
                    Last = new byte[1000]; // a gigabyte: however large the processor's cache, by which the collector goes
            }

            Interlocked.Add(ref _taken, batch.Count);
            return ValueTask.CompletedTask;
        }

        public ValueTask FlushAsync(CancellationToken cancellationToken)
        {
            _buffer.TryFlush(cancellationToken, force: true);
            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private sealed class NoOutput : ILogOutput
    {
        public string Name => "none";

        public int Write(ReadOnlySpan<byte> lines, out Errno error, CancellationToken cancellationToken)
        {
            error = Errno.None;
            return lines.Length;
        }

        public bool Reopen() => true;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}

/// <summary>Tests that measure the whole process: they run when no other does.</summary>
[CollectionDefinition(nameof(AloneCollection), DisableParallelization = true)]
public sealed class AloneCollection;
