using System.Text.Json.Serialization;
using ConntrackStream.Sinks.FlowLog;

namespace ConntrackStream.Sinks.Syslog;

/// <summary>The property <c>syslog</c> of <c>/v1/status</c>.</summary>
internal sealed record SyslogFigures(
    string Server, bool Connected, string? Problem, long Records, long Bytes, long Filtered, long Dropped, long Connections, long Failures)
{
    internal static SyslogFigures Of(SyslogServer server, SyslogOutput output, FlowLogCounters counters) => new(
        server.ToString(), output.IsConnected, output.Problem, counters.Records, counters.Bytes, counters.Filtered, counters.Dropped,
        output.Counters.Connections, output.Counters.Failures);
}

[JsonSerializable(typeof(SyslogFigures))]
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
internal sealed partial class SyslogFiguresJson : JsonSerializerContext;
