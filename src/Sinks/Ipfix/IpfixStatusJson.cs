using System.Text.Json.Serialization;

namespace ConntrackStream.Sinks.Ipfix;

[JsonSerializable(typeof(IpfixStatus))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, IncludeFields = true)] // counters are fields
internal sealed partial class IpfixStatusJson : JsonSerializerContext;
