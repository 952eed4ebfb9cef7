using System.Globalization;
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
    };

    /// <exception cref="ConfigurationException">It cannot be read or is not a JSON object.</exception>
    internal static IReadOnlyList<KeyValuePair<string, string?>> Read(string file)
    {
        if (Directory.Exists(file))
            throw new ConfigurationException([$"{file}: is a directory; name a file in it"]);
        try
        {
            using FileStream stream = File.OpenRead(file);
            using JsonDocument document = JsonDocument.Parse(stream, Lenient);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? [.. Flatten(file, "", document.RootElement)]
                : throw new ConfigurationException([$"{file}: not a JSON object"]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException([$"{file}: cannot be read: {e.Message}"]);
        }
        catch (JsonException e)
        {
            throw new ConfigurationException([$"{file}:{Place(e)} not valid JSON: {Reason(e)}"]);
        }
    }

    /// <summary>Line and column as editors count them, from 1; of a column, bytes are counted.</summary>
    private static string Place(JsonException fault) => fault is { LineNumber: { } line, BytePositionInLine: { } column }
        ? string.Create(CultureInfo.InvariantCulture, $"{line + 1}:{column + 1}:")
        : "";

    private static string Reason(JsonException fault)
    {
        string message = fault.Message.Split(" LineNumber: ")[0]; // which count from 0
        return message switch
        {
            _ when message.StartsWith("Expected depth to be zero", StringComparison.Ordinal) =>
                "the file ends within a list or an object, which a ] or } must close",
            ['\'', var bracket, ..] when message.EndsWith("without a matching open.", StringComparison.Ordinal) =>
                $"'{bracket}' does not close what is open here: ] closes a list, }} an object",
            _ when message.StartsWith("The input does not contain any", StringComparison.Ordinal) =>
                "the file is empty; {} would be no settings",
            _ => message,
        };
    }

    private static IEnumerable<KeyValuePair<string, string?>> Flatten(string file, string path, JsonElement element) =>
        element.ValueKind switch
        {
            JsonValueKind.Object => Members(file, path, element),
            JsonValueKind.Array when element.GetArrayLength() == 0 => [KeyValuePair.Create(path, (string?)"")],
            JsonValueKind.Array => element.EnumerateArray().SelectMany((item, at) => Flatten(file, Join(path, $"{at}"), item)),
            JsonValueKind.Null => [KeyValuePair.Create(path, (string?)null)],
            _ => [KeyValuePair.Create(path, (string?)element.ToString())],
        };

    // The parser's own check of names loads OpenSSL for the seed of a hash (System.Text.Json 10.0.12): 4 MB for the service's whole life.
    private static IEnumerable<KeyValuePair<string, string?>> Members(string file, string path, JsonElement element)
    {
        HashSet<string> names = new(StringComparer.OrdinalIgnoreCase); // as keys are compared
        foreach (JsonProperty member in element.EnumerateObject())
        {
            string key = Join(path, member.Name);
            if (!names.Add(member.Name))
                throw new ConfigurationException([$"{file}: {key} is there twice"]);
            foreach (KeyValuePair<string, string?> pair in Flatten(file, key, member.Value))
                yield return pair;
        }
    }

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}:{name}";
}
