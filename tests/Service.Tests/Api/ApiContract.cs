using System.Text.Json;
using System.Text.Json.Nodes;
using Json.Schema;

namespace ConntrackStream.Service.Tests.Api;

/// <summary>docs/openapi.json, and what of it has been seen at work.</summary>
internal sealed class ApiContract
{
    private const string Json = "application/json", Problem = "application/problem+json";

    private readonly JsonNode _document = JsonNode.Parse(File.ReadAllText(Repository.PathOf("docs", "openapi.json")))!;
    private readonly Dictionary<string, JsonSchema> _schemas = new(StringComparer.Ordinal);
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);

    internal IEnumerable<string> Paths => _document["paths"]!.AsObject().Select(static path => path.Key);

    /// <summary>Each answer that a path may give: path, status, type of content.</summary>
    internal IEnumerable<string> Answers => Paths.SelectMany(path => Operation(path)["responses"]!.AsObject().SelectMany(
        response => Resolve(response.Value!)["content"]!.AsObject().Select(content => $"{path} {response.Key} {content.Key}")));

    internal IEnumerable<string> Unseen => Answers.Where(answer => !_seen.Contains(answer)).Order(StringComparer.Ordinal);

    internal JsonNode[] Parameters(string path) =>
        [.. (Operation(path)["parameters"]?.AsArray() ?? []).Select(parameter => Resolve(parameter!))];

    internal bool Has(string path, int status) => Operation(path)["responses"]![$"{status}"] is not null;

    /// <summary>The answer is one that the document has, and what it promises.</summary>
    internal void Check(string path, Answer answer)
    {
        string type = answer.ContentType!.Split(';')[0];
        string key = $"{path} {(int)answer.Status} {type}";
        Assert.Contains(key, Answers, StringComparer.Ordinal);
        if (type is Json or Problem)
            Check(SchemaOf(path, (int)answer.Status, type), answer.Body);
        _seen.Add(key);
    }

    /// <summary>Each line of an answer, or data of an event, is an object of this schema.</summary>
    internal void CheckRecord(string schema, string json) => Check(new JsonObject { ["$ref"] = $"#/components/schemas/{schema}" }, json);

    private JsonNode SchemaOf(string path, int status, string type) =>
        Resolve(Operation(path)["responses"]![$"{status}"]!)["content"]![type]!["schema"]!;

    private void Check(JsonNode reference, string json)
    {
        string key = reference.ToJsonString();
        if (!_schemas.TryGetValue(key, out JsonSchema? schema))
            _schemas[key] = schema = Compile(reference);
        using JsonDocument instance = JsonDocument.Parse(json);
        EvaluationResults results = schema.Evaluate(
            instance.RootElement, new EvaluationOptions { OutputFormat = OutputFormat.List, RequireFormatValidation = true });
        IEnumerable<string> errors = (results.Details ?? []).Where(static detail => detail.Errors is not null)
            .SelectMany(static detail => detail.Errors!.Select(error => $"{detail.InstanceLocation}: {error.Value}"));
        Assert.True(results.IsValid, $"{string.Join("; ", errors)}\nin {json}");
    }

    /// <summary>The components' schemas as definitions of one schema: a pointer into the document means nothing outside.</summary>
    private JsonSchema Compile(JsonNode reference)
    {
        JsonObject whole = new()
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["$id"] = $"urn:uuid:{Guid.NewGuid()}",
            ["$defs"] = _document["components"]!["schemas"]!.DeepClone(),
            ["allOf"] = new JsonArray(reference.DeepClone()),
        };
        return JsonSchema.FromText(whole.ToJsonString().Replace("#/components/schemas/", "#/$defs/", StringComparison.Ordinal));
    }

    private JsonNode Operation(string path) => _document["paths"]![path]!["get"]!;

    private JsonNode Resolve(JsonNode node)
    {
        if (node["$ref"]?.GetValue<string>() is not { } reference)
            return node;
        JsonNode found = _document;
        foreach (string name in reference[2..].Split('/'))
            found = found[name]!;
        return found;
    }
}
