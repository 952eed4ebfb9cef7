using System.Text.Json.Serialization;

namespace ConntrackStream.Sinks.MapCleaning.Module;

[JsonSerializable(typeof(MapFigures))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, IncludeFields = true)]
internal sealed partial class MapFiguresJson : JsonSerializerContext;
