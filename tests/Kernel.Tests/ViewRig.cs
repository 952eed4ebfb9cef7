using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Pipeline;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.LiveView;
using ConntrackStream.Pipeline.Queues;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Kernel.Tests;

/// <summary>Tap and pipeline over a test's namespace, and all changes they brought.</summary>
internal sealed partial class ViewRig : IAsyncDisposable
{
    private const int Roomy = 8192; // batches: what a storm brings, however late the log's task gets a processor

    private readonly KernelNamespace _space;
    private readonly ChangeLog _log = new();
    private readonly NetworkNamespace _netns;
    private TapSocket? _socket;

    /// <param name="capacity">Of the channel between reader and loop, in messages.</param>
    /// <param name="updates">Listens to UPDATE as well.</param>
    /// <param name="tamper">Takes a guard away, for a negative control.</param>
    /// <param name="levers">Guards of the view to take away.</param>
    public ViewRig(
        KernelNamespace space, PipelineOptions? options = null, long? receiveBuffer = null, int capacity = 256, bool updates = false,
        Action<PipelineSource>? tamper = null, ViewLevers? levers = null)
    {
        _space = space;
        _netns = NetworkNamespace.OpenName(space.Name);
        TapOptions tap = new() { Namespace = _netns, ReceiveBufferBytes = receiveBuffer, Updates = updates };
        Source = new KernelSource(
            tap,
            TimeProvider.System,
            NullLoggerFactory.Instance,
            capacity,
            () => _socket = TapSocket.Open(tap, TimeProvider.System, NullLogger.Instance));
        tamper?.Invoke(Source.Source);
        Pipeline = new FlowPipeline(
            Source.Source,
            [new QueuedSink(_log)],
            (options ?? new PipelineOptions()) with { SinkQueueBatches = Roomy },
            TimeProvider.System,
            new NullLogger<FlowPipeline>(),
            levers ?? new ViewLevers());
    }

    public KernelSource Source { get; }

    public FlowPipeline Pipeline { get; }

    public TapCounters Counters => Source.Tap.Counters;

    public IReadOnlyCollection<FlowChange> Changes => _log.Changes;

    public async Task StartAsync()
    {
        await Pipeline.StartAsync(TestContext.Current.CancellationToken);
        await Source.Tap.StartAsync(TestContext.Current.CancellationToken);
        await Pipeline.FirstSync.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
    }

    /// <summary>Makes the event socket fail under the reader: its descriptor is no socket any more (ENOTSOCK).</summary>
    public void BreakSocket()
    {
        using SafeFileHandle notASocket = File.OpenHandle("/dev/null");
        Assert.NotEqual(-1, dup2((int)notASocket.DangerousGetHandle(), (int)_socket!.Netlink.Handle.DangerousGetHandle()));
    }

    /// <summary>
    /// Waits until the view has as many flows as the kernel and no loss lies unrepaired, then compares every flow with what conntrack-tools
    /// tells. The table must be quiet. When it returns, the sinks have what led there.
    /// </summary>
    public async Task EqualAsync(TimeSpan? patience = null)
    {
        string? difference = await DifferenceAsync(patience ?? TimeSpan.FromSeconds(30));
        Assert.True(difference is null, difference);
        // its task may be behind the view
        Eventually.True(() => Pipeline.Status is var now && now.Sinks.All(sink => sink.Written + sink.Dropped >= now.Changes));
        Assert.All(
            Pipeline.Status.Sinks,
            static sink => Assert.True(sink.Dropped == 0, $"{sink.Dropped} changes are missing in the test's own log"));
    }

    /// <summary>Null when view and kernel became equal in time.</summary>
    public async Task<string?> DifferenceAsync(TimeSpan patience)
    {
        TimeProvider time = TimeProvider.System;
        long began = time.GetTimestamp();
        while (true)
        {
            PipelineStatus status = Pipeline.Status;
            bool late = time.GetElapsedTime(began) > patience;
            if (late || (status.Synced && status.FlowsIPv4 + status.FlowsIPv6 == _space.FlowCount))
            {
                string? difference = Oracle.Difference(Oracle.Dump(_space), await ViewAsync());
                if (late || difference is null)
                    return difference is null && status.Synced ? null : $"{difference} (synced: {status.Synced})";
            }

            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }

    public async Task<HashSet<OracleFlow>> ViewAsync()
    {
        HashSet<OracleFlow> flows = [];
        await Pipeline.QueryAsync(
            null,
            batch =>
            {
                foreach (ref readonly FlowChange change in batch.Span)
                    Assert.True(flows.Add(OracleFlow.Of(change.Flow)));
                return ValueTask.CompletedTask;
            },
            TestContext.Current.CancellationToken);
        return flows;
    }

    /// <summary>
    /// Holds up loop and reader (the channel must hold one message): what the kernel tells from now on waits in the socket, until the gate
    /// is opened. Costs the four flows with source 10.9.0.1.
    /// </summary>
    public async Task<ManualResetEventSlim> BlockAsync()
    {
        ManualResetEventSlim gate = await BlockLoopAsync();
        long before = Counters.New;
        for (int i = 1; i <= 4; i++) // the loop holds none, the channel one, the reader one
        {
            _space.Exec(
                "conntrack", "-I", "-p", "udp", "-s", "10.9.0.1", "-d", "10.9.0.2", "--sport", $"{i}", "--dport", "9", "-t", "100");
            Eventually.True(() => Counters.New >= before + Math.Min(i, 2));
        }

        return gate;
    }

    /// <summary>Holds the loop up until the returned gate is opened, so that events pile up before it.</summary>
    private async Task<ManualResetEventSlim> BlockLoopAsync()
    {
        ManualResetEventSlim gate = new();
        TaskCompletionSource entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _ = Pipeline.RunOnLoopAsync(() =>
        {
            entered.TrySetResult();
            gate.Wait(TimeSpan.FromSeconds(60));
        });
        await entered.Task.WaitAsync(TimeSpan.FromSeconds(30));
        return gate;
    }

    public async ValueTask DisposeAsync()
    {
        await Source.Tap.StopAsync();
        await Pipeline.DisposeAsync();
        await Source.DisposeAsync();
        _netns.Dispose();
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int dup2(int from, int to);

    private sealed class ChangeLog : IFlowSink
    {
        private readonly ConcurrentQueue<FlowChange> _changes = new();

        public IReadOnlyCollection<FlowChange> Changes => _changes;

        public string Name => "log";

        public ValueTask StartAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask WriteAsync(FlowChangeBatch batch, CancellationToken cancellationToken)
        {
            foreach (FlowChange change in batch.Span)
            {
                FlowChange copy = change;
                copy.Flow.Extras = null;
                _changes.Enqueue(copy);
            }

            return ValueTask.CompletedTask;
        }

        public ValueTask FlushAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
