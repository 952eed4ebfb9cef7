using System.Globalization;
using System.Reflection;
using System.Text.Json;
using Google.Protobuf;

namespace ConntrackStream.Sinks.Tests.Otlp;

/// <summary>
/// A request with logs, read by others' code: Google.Protobuf, with messages that Serilog.Sinks.OpenTelemetry has generated from OTLP's
/// specification.
/// </summary>
internal sealed record DecodedLogs(
    IReadOnlyDictionary<string, string> Resource, string ScopeName, IReadOnlyList<DecodedRecord> Records)
{
    private static readonly MessageParser Parser = (MessageParser)Assembly.Load("Serilog.Sinks.OpenTelemetry")
        .GetType("OpenTelemetry.Proto.Collector.Logs.V1.ExportLogsServiceRequest", throwOnError: true)!
        .GetProperty("Parser", BindingFlags.Static | BindingFlags.Public)!.GetValue(null)!;

    /// <summary>The only resource and scope in it.</summary>
    internal static DecodedLogs Read(byte[] request)
    {
        using JsonDocument document = JsonDocument.Parse(JsonFormatter.Default.Format(Parser.ParseFrom(request)));
        JsonElement ofResource = Assert.Single(document.RootElement.GetProperty("resourceLogs").EnumerateArray());
        JsonElement ofScope = Assert.Single(ofResource.GetProperty("scopeLogs").EnumerateArray());
        return new DecodedLogs(
            Attributes(ofResource.GetProperty("resource")),
            ofScope.GetProperty("scope").GetProperty("name").GetString()!,
            [.. ofScope.GetProperty("logRecords").EnumerateArray().Select(Record)]);
    }

    private static DecodedRecord Record(JsonElement record) => new(
        Number(record, "timeUnixNano"), Number(record, "observedTimeUnixNano"), record.GetProperty("severityNumber").GetString()!,
        record.GetProperty("severityText").GetString()!,
        record.TryGetProperty("body", out JsonElement body) ? Value(body) : null, Attributes(record));

    private static long Number(JsonElement record, string name) =>
        long.Parse(record.GetProperty(name).GetString()!, CultureInfo.InvariantCulture);

    private static Dictionary<string, string> Attributes(JsonElement holder) => holder.GetProperty("attributes").EnumerateArray()
        .ToDictionary(
            static pair => pair.GetProperty("key").GetString()!, static pair => Value(pair.GetProperty("value")), StringComparer.Ordinal);

    /// <summary>With a letter for its type, but for texts: <c>i:17</c>.</summary>
    private static string Value(JsonElement any)
    {
        JsonProperty value = Assert.Single(any.EnumerateObject());
        return value.Name switch
        {
            "stringValue" => value.Value.GetString()!,
            "intValue" => $"i:{value.Value.GetString()}",
            "doubleValue" => $"d:{value.Value.GetDouble().ToString(CultureInfo.InvariantCulture)}",
            "arrayValue" => string.Join(',', value.Value.GetProperty("values").EnumerateArray().Select(Value)),
            _ => throw new InvalidDataException(value.Name),
        };
    }
}

/// <summary>A log record. Times are in ns since the Unix epoch.</summary>
internal sealed record DecodedRecord(
    long Time, long Observed, string Severity, string SeverityText, string? Body, IReadOnlyDictionary<string, string> Attributes)
{
    internal string this[string attribute] => Attributes[attribute];
}
