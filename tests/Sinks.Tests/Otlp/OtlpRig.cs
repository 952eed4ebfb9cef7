using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Otlp;
using ConntrackStream.Sinks.Otlp.Options;
using ConntrackStream.Sinks.Otlp.Records;
using ConntrackStream.Sinks.Tests.FlowLog;

namespace ConntrackStream.Sinks.Tests.Otlp;

/// <summary>The sink of logs and a collector on loopback, in virtual time.</summary>
internal sealed class OtlpRig : IAsyncDisposable
{
    internal VirtualTime Time { get; } = new();

    internal RecordingLogger Log { get; } = new();

    internal required OtlpReceiver Collector { get; set; }

    internal OtlpSink Sink => _sink ?? throw new InvalidOperationException("not started");

    private OtlpSink? _sink;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    internal static async Task<OtlpRig> StartAsync(
        OtlpProtocol protocol = OtlpProtocol.Http, Action<OtlpOptions>? configure = null, string? marker = null)
    {
        OtlpRig rig = new() { Collector = await OtlpReceiver.StartAsync(protocol == OtlpProtocol.Grpc) };
        await rig.StartSinkAsync(protocol, configure, marker);
        return rig;
    }

    internal async Task StartSinkAsync(
        OtlpProtocol protocol = OtlpProtocol.Http, Action<OtlpOptions>? configure = null, string? marker = null)
    {
        OtlpOptions options = new() { Endpoint = $"http://127.0.0.1:{Collector.Port}", Protocol = protocol };
        configure?.Invoke(options);
        RecordEncoder encoder = new(null, options.Directions(), false, null, options.ChosenFields());
        _sink = new OtlpSink(options, encoder, RecordEncoderTests.Resource(options), Time, Log, marker);
        await _sink.StartAsync(Cancel);
    }

    /// <summary>Writes starts of flows whose source ports are from <paramref name="first"/> on, and sends them.</summary>
    internal async Task SendAsync(int first, int count = 1)
    {
        await WriteAsync(first, count);
        await FlushAsync();
    }

    internal async Task WriteAsync(int first, int count)
    {
        foreach (int[] ports in Enumerable.Range(first, count).Chunk(256))
            await Sink.WriteAsync(FlowLogTestData.Batch([.. ports.Select(static port => FlowLogTestData.Started(port))]), Cancel);
    }

    internal async Task FlushAsync()
    {
        await Sink.FlushAsync(Cancel);
        Time.Advance(TimeSpan.FromSeconds(1)); // Otlp:Linger
    }

    /// <summary>Waits for an attempt that failed, and gives when the next is due.</summary>
    internal TimeSpan WaitOfRetry(long number = 1)
    {
        // the attempt's own time-out may be armed for a moment beside it
        Eventually.True(() => Sink.Status.Requests is { } now && now.Retries == number
            && now.State.StartsWith("tries again ", StringComparison.Ordinal) && Time.Due.Count == 1);
        return Time.Due[0] - Time.GetUtcNow();
    }

    /// <summary>Source ports of what was accepted; 0 for a gap.</summary>
    internal int[] Ports() => [.. Collector.Records.Select(Port)];

    internal static int Port(DecodedRecord record) =>
        record["conntrack.event"] == "gap" ? 0 : int.Parse(record["source.port"][2..], System.Globalization.CultureInfo.InvariantCulture);

    internal void WaitForRecords(int count) => Eventually.True(
        () => Collector.Records.Count >= count && Sink.Status.Records >= count, state: () => string.Join(' ', Ports()));

    /// <summary>Ends the sink; where it waits for the collector, two seconds pass.</summary>
    internal Task StopSinkAsync()
    {
        Task stopping = Sink.DisposeAsync().AsTask();
        return Eventually.TrueAsync(() =>
        {
            Time.Advance(TimeSpan.FromSeconds(1));
            return stopping.IsCompletedSuccessfully;
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (_sink is not null)
            await StopSinkAsync();
        await Collector.DisposeAsync();
    }
}
