using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Otlp;
using ConntrackStream.Sinks.Otlp.Options;
using ConntrackStream.Sinks.Tests.FlowLog;

namespace ConntrackStream.Sinks.Tests.Otlp;

/// <summary>More records at once than memory holds, two requests of some 90 records here.</summary>
public sealed class BurstTests : IAsyncDisposable
{
    private const int Burst = 3000;

    private readonly TaskCompletionSource _answered = new(TaskCreationOptions.RunContinuationsAsynchronously); // the first request
    private readonly CancellationTokenSource _abort = new();
    private OtlpRig? _rig;

    private OtlpRig Rig => _rig!;

    public async ValueTask DisposeAsync()
    {
        _answered.TrySetResult();
        if (_rig is not null)
            await _rig.DisposeAsync();
        _abort.Dispose();
    }

    [Fact]
    public async Task The_flows_of_a_dump_wait_for_a_collector_that_takes_them()
    {
        await StartAsync();
        Task writing = WriteAsync(FlowOrigin.Dump);
        Eventually.True(() => Rig.Collector.Requests.Count == 1);
        Assert.False(writing.IsCompleted);
        _answered.SetResult();
        await writing;
        await Rig.FlushAsync();
        Eventually.True(() => Rig.Sink.Status.Records == Burst);
        Assert.Equal(Enumerable.Range(1, Burst), Rig.Collector.Requests.SelectMany(static one => one.Records).Select(OtlpRig.Port));
        Assert.Equal(0, Rig.Sink.Status.Dropped);
        Assert.InRange(Rig.Sink.Status.MemoryBytes, 1, 128 << 10);
    }

    [Fact]
    public async Task Live_events_do_not_wait()
    {
        await StartAsync();
        await WriteAsync(FlowOrigin.Event);
        Assert.InRange(Rig.Sink.Status.DroppedNoRoom, 1, Burst - 1);
        await Rig.FlushAsync(); // before there is room, so that the gap has to come by itself
        _answered.SetResult();
        Eventually.True(() =>
        {
            if (Rig.Time.Due.Count == 1) // nothing is under way
                Rig.Time.Advance(TimeSpan.FromSeconds(10));
            return Rig.Sink.Status is { WaitingRecords: 0, Gaps: 1 } now && now.Records + now.Dropped == Burst + 1;
        });
    }

    [Fact]
    public async Task Nothing_waits_longer_than_ten_seconds()
    {
        await StartAsync();
        Task writing = WriteAsync(FlowOrigin.Audit);
        await Rig.Time.WaitForTimersAsync(2); // of the request, and of the wait
        Rig.Time.Advance(TimeSpan.FromSeconds(9));
        Assert.False(writing.IsCompleted);
        Rig.Time.Advance(TimeSpan.FromSeconds(1));
        await writing; // the batches after the first do not begin to wait again
        Assert.InRange(Rig.Sink.Status.DroppedNoRoom, Burst - 400, Burst - 1);
    }

    [Fact]
    public async Task Nothing_waits_for_a_collector_that_takes_nothing()
    {
        await StartAsync();
        Task writing = WriteAsync(FlowOrigin.Dump);
        Eventually.True(() => Rig.Collector.Requests.Count == 1);
        Assert.False(writing.IsCompleted);
        _answered.SetException(new InvalidOperationException("busy"));
        Rig.WaitOfRetry();
        await writing;
        Assert.InRange(Rig.Sink.Status.DroppedNoRoom, Burst - 400, Burst - 1);
    }

    [Fact]
    public async Task The_end_ends_the_wait()
    {
        await StartAsync();
        Task writing = WriteAsync(FlowOrigin.Dump);
        Eventually.True(() => Rig.Collector.Requests.Count == 1);
        await _abort.CancelAsync();
        await writing;
        Assert.InRange(Rig.Sink.Status.DroppedNoRoom, Burst - 400, Burst - 1);
    }

    [Fact]
    public async Task After_a_burst_the_next_one_may_wait_again()
    {
        await StartAsync();
        Task writing = WriteAsync(FlowOrigin.Dump);
        await Rig.Time.WaitForTimersAsync(2);
        Rig.Time.Advance(TimeSpan.FromSeconds(9));
        _answered.SetResult();
        await writing;
        await Rig.FlushAsync();
        Eventually.True(() => Rig.Sink.Status is { Records: Burst, WaitingRecords: 0 });
        await Rig.WriteAsync(1, 1);
        TaskCompletionSource second = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Rig.Collector.Next(async context =>
        {
            context.Response.ContentType = "application/x-protobuf";
            await second.Task;
        });
        writing = WriteAsync(FlowOrigin.Dump);
        await Rig.Time.WaitForTimersAsync(2);
        Rig.Time.Advance(TimeSpan.FromSeconds(9));
        Assert.False(writing.IsCompleted);
        second.SetResult();
        await writing;
        Assert.Equal(0, Rig.Sink.Status.Dropped);
    }

    private async Task StartAsync()
    {
        _rig = await OtlpRig.StartAsync(configure: static options =>
        {
            (options.MaxRequestBytes, options.MemoryBytes) = (64 << 10, 128 << 10);
            options.Timeout = TimeSpan.FromMinutes(5);
        });
        _rig.Collector.Next(async context =>
        {
            context.Response.ContentType = "application/x-protobuf";
            try
            {
                await _answered.Task;
            }
            catch (InvalidOperationException)
            {
                context.Response.StatusCode = 503;
            }
        });
    }

    private Task WriteAsync(FlowOrigin origin) => Task.Run(
        async () =>
        {
            foreach (int[] ports in Enumerable.Range(1, Burst).Chunk(256))
            {
                FlowChange[] changes = [.. ports.Select(port => FlowLogTestData.Started(port) with { Origin = origin })];
                await Rig.Sink.WriteAsync(FlowLogTestData.Batch(changes), _abort.Token);
            }
        },
        TestContext.Current.CancellationToken);
}
