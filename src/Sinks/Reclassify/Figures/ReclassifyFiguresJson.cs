using System.Text.Json.Serialization;

namespace ConntrackStream.Sinks.Reclassify.Figures;

[JsonSerializable(typeof(ReclassifyFigures))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, IncludeFields = true)] // counters are fields
internal sealed partial class ReclassifyFiguresJson : JsonSerializerContext;
