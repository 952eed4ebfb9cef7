using System.Text.Json.Serialization;
using ConntrackStream.Sinks.Otlp.Records;
using ConntrackStream.Sinks.Otlp.Transport;

namespace ConntrackStream.Sinks.Otlp;

/// <summary>The module in <c>/v1/status</c>; what is not sent is null.</summary>
internal sealed record OtlpStatus(string Endpoint, OtlpLogsStatus? Logs, OtlpSignalStatus? Metrics);

/// <summary>Requests of one kind.</summary>
/// <param name="State">Such as <c>accepted</c>, or why they are not.</param>
/// <param name="IsConnected">The collector took the last one.</param>
/// <param name="Accepted">Requests.</param>
/// <param name="Refused">Requests that the collector will not take.</param>
/// <param name="Retries">Attempts that failed and were, or are to be, repeated.</param>
internal sealed record OtlpSignalStatus(
    string State, [property: JsonPropertyName("connected")] bool IsConnected, long Accepted, long Refused, long Retries)
{
    internal static OtlpSignalStatus Of(Delivery delivery) =>
        new(delivery.State, delivery.IsConnected, delivery.Accepted, delivery.Refused, delivery.Retries);
}

/// <summary>Log records; see <see cref="OtlpCounters"/> for the counters.</summary>
/// <param name="Requests">That carry them.</param>
/// <param name="WaitingRecords">Besides those of the request under way.</param>
/// <param name="MemoryBytes">For requests.</param>
internal sealed record OtlpLogsStatus(
    OtlpSignalStatus Requests, long Records, long Gaps, long Bytes, long Filtered, long DroppedNoRoom, long DroppedRefused,
    long DroppedRejected, long WaitingRecords, long MemoryBytes)
{
    internal long Dropped => DroppedNoRoom + DroppedRefused + DroppedRejected;

    internal static OtlpLogsStatus Of(Delivery delivery, RequestQueue queue, OtlpCounters counters, long requestBytes) => new(
        OtlpSignalStatus.Of(delivery), counters.Records, counters.Gaps, counters.Bytes, counters.Filtered, counters.NoRoom,
        counters.Refused, counters.Rejected, queue.Waiting, queue.Buffers * requestBytes);
}

[JsonSerializable(typeof(OtlpStatus))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
internal sealed partial class OtlpStatusJson : JsonSerializerContext;
