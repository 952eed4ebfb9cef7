using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Fleet;
using ConntrackStream.Sinks.Fleet.Spool;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Tests.FlowLog;
using static ConntrackStream.Sinks.Tests.FlowLog.FlowLogTestData;

namespace ConntrackStream.Sinks.Tests.Fleet;

/// <summary>A publisher of one host, with its spool in a directory of its own.</summary>
internal abstract class FleetRig : IAsyncDisposable
{
    internal const string Host = "node-1.example.net";

    private readonly TemporaryDirectory _directory = new();
    private int _next;
    private int _writtenBefore; // the start of the sink

    internal RecordingLogger Logger { get; } = new();

    internal FleetSink Sink { get; private set; } = null!;

    internal string SpoolPath => _directory.File("spool");

    protected abstract IFleetOptions FleetOptions { get; }

    internal bool HasLogged(string text) =>
        Logger.Entries.Exists(entry => entry.Message.Contains(text, StringComparison.OrdinalIgnoreCase));

    internal string File(string name) => _directory.File(name);

    internal async Task<FleetSink> StartAsync()
    {
        _writtenBefore = _next;
        Sink = new FleetSink(
            NewEngine(), FleetOptions, new FleetRecords(new FlowLogOptions { Host = Host }), TimeProvider.System, Logger,
            () => new SpoolFiles(SpoolPath));
        await Sink.StartAsync(TestContext.Current.CancellationToken);
        return Sink;
    }

    /// <summary>Writes changes; the source port of each is the number of it, over all starts.</summary>
    internal async Task WriteAsync(int count)
    {
        for (int batch = 0; batch < count; batch += FlowChangeBatch.Capacity)
        {
            FlowChangeBatch changes = new();
            for (int at = batch; at < Math.Min(count, batch + FlowChangeBatch.Capacity); at++)
                changes.Add() = Started(_next++ & 0xFFFF);
            await Sink.WriteAsync(changes, TestContext.Current.CancellationToken);
        }

        await Sink.FlushAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Waits until everything that was written is acknowledged.</summary>
    internal Task AcknowledgedAsync(TimeSpan? timeout = null) => Eventually.TrueAsync(
        () => Sink.Counters.Queued + Sink.Counters.Dropped >= _next - _writtenBefore && Sink.Counters.Records >= Sink.Counters.Queued
            && Sink.Status!.InFlightMessages == 0,
        timeout, () => $"{Sink.Status}");

    public async ValueTask DisposeAsync()
    {
        await Sink.DisposeAsync();
        _directory.Dispose();
    }

    /// <summary>Of the host.</summary>
    protected abstract IFleetEngine NewEngine();
}
