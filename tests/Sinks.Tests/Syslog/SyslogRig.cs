using System.Text.Json;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Syslog;
using static ConntrackStream.Sinks.Tests.FlowLog.FlowLogTestData;

namespace ConntrackStream.Sinks.Tests.Syslog;

/// <summary>The sink as the service has it, with a clock that the test moves.</summary>
internal sealed class SyslogRig : IAsyncDisposable
{
    private readonly FlowLogSink _sink;
    private readonly RecordingLogger<FlowLogSink> _sinkLogger = new();

    internal SyslogRig(SyslogOptions options, TimeProvider? time = null)
    {
        Output = new SyslogOutput(options, time ?? Time, Logger);
        RecordLog log = new(
            "syslog", options.Server, options,
            new SyslogRecordWriter(options.CreateWriter(null, null), new SyslogHeader(options, "gw", 77), options.MaxMessageBytes),
            () => (Output, null));
        _sink = new FlowLogSink(log, time ?? Time, _sinkLogger, stateDirectory: null, opened: null);
    }

    internal FakeTimeProvider Time { get; } = new(Clock);

    internal SyslogOutput Output { get; }

    internal RecordingLogger Logger { get; } = new();

    internal FlowLogCounters Counters => _sink.Counters;

    internal static CancellationToken Token => TestContext.Current.CancellationToken;

    internal static async Task<SyslogRig> StartAsync(SyslogOptions options, TimeProvider? time = null)
    {
        SyslogRig rig = new(options, time);
        await rig._sink.StartAsync(Token);
        return rig;
    }

    /// <summary>Starts of flows from these ports, written and flushed.</summary>
    internal async Task SendAsync(params int[] ports)
    {
        foreach (int[] some in ports.Chunk(FlowChangeBatch.Capacity))
            await _sink.WriteAsync(Batch([.. some.Select(static port => Started(port))]), Token);
        await _sink.FlushAsync(Token);
    }

    public ValueTask DisposeAsync() => _sink.DisposeAsync();

    /// <summary>What a message is about: the source port, or <c>gap:LOST</c>.</summary>
    internal static string Subject(string message)
    {
        JsonElement record = JsonDocument.Parse(message[message.IndexOf('{', StringComparison.Ordinal)..]).RootElement;
        return record.TryGetProperty("sport", out JsonElement port) ? port.GetRawText() : $"gap:{record.GetProperty("lost").GetRawText()}";
    }
}
