using System.Text.Json;
using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Service.Options;

/// <summary>A JSON configuration file as flat key paths. Comments and trailing commas are allowed, a key twice is not.</summary>
internal static class JsonFile
{
    private static readonly JsonDocumentOptions Lenient = new()
    {
        CommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        AllowDuplicateProperties = false,
    };

    /// <exception cref="ConfigurationException">It cannot be read or is not a JSON object.</exception>
    internal static IReadOnlyList<KeyValuePair<string, string?>> Read(string file)
    {
        try
        {
            using FileStream stream = File.OpenRead(file);
            using JsonDocument document = JsonDocument.Parse(stream, Lenient);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? [.. Flatten("", document.RootElement)]
                : throw new ConfigurationException([$"{file}: not a JSON object"]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException([$"{file}: cannot be read: {e.Message}"]);
        }
        catch (JsonException e)
        {
            throw new ConfigurationException([$"{file}: not valid JSON: {e.Message}"]);
        }
    }

    private static IEnumerable<KeyValuePair<string, string?>> Flatten(string path, JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(member => Flatten(Join(path, member.Name), member.Value)),
        JsonValueKind.Array when element.GetArrayLength() == 0 => [KeyValuePair.Create(path, (string?)"")],
        JsonValueKind.Array => element.EnumerateArray().SelectMany((item, at) => Flatten(Join(path, $"{at}"), item)),
        JsonValueKind.Null => [KeyValuePair.Create(path, (string?)null)],
        _ => [KeyValuePair.Create(path, (string?)element.ToString())],
    };

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}:{name}";
}
