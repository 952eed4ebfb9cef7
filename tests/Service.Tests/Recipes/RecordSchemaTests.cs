using System.Text.Json;
using System.Text.RegularExpressions;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.FlowLog;

namespace ConntrackStream.Service.Tests.Recipes;

/// <summary>The schemas of docs/recipes have exactly the fields that records have.</summary>
public sealed partial class RecordSchemaTests
{
    private static readonly string[] Fleet = ["run", "seq", "seq_to"]; // docs/fleet.md

    private static readonly FlowChange Gap = new()
    {
        Kind = FlowChangeKind.Gap,
        Gap = new FlowGap(FlowGapReason.Overrun, From: 1, To: 2, Lost: 3, Recovered: 4),
    };

    private static readonly FlowChange Refused = new()
    {
        Kind = FlowChangeKind.Refused,
        Refused = new RefusedFlows(From: 1, To: 2, Dropped: 3, Evicted: 4, ChainTooLong: 5),
    };

    [Theory]
    [InlineData("duckdb/flows.sql")]
    [InlineData("clickhouse/flows.sql")]
    public void Columns_are_those_of_the_format_json(string file)
    {
        IEnumerable<string> columns = Columns().Matches(RecipeFiles.Read(file)).Select(static match => match.Groups["name"].Value);
        FlowRecordWriter writer = new("gw", null, FlowDirections.None, communityId: false);
        IEnumerable<string> fields = JsonFields.Vocabulary.Always.Concat(JsonFields.Vocabulary.Names).Concat(Fleet)
            .Union(Written(writer), StringComparer.Ordinal);
        AssertSame(fields, columns);
    }

    [Fact]
    public void The_index_template_has_the_fields_of_the_format_ecs()
    {
        using JsonDocument template = JsonDocument.Parse(RecipeFiles.Read("elasticsearch/index-template.json"));
        JsonElement properties = template.RootElement.GetProperty("template").GetProperty("mappings").GetProperty("properties");
        EcsRecordWriter writer = new("gw", null, FlowDirections.None, communityId: false, ends: null, RecordFields.All);
        IEnumerable<string> fields = EcsFields.Vocabulary.Always.Concat(EcsFields.Vocabulary.Names)
            .Union(Written(writer), StringComparer.Ordinal);
        AssertSame(fields, Mapped(properties, ""));
    }

    /// <summary>What the queries of the dashboard over Loki take from a record.</summary>
    [Fact]
    public void The_dashboard_asks_for_fields_that_there_are()
    {
        string[] asked = [.. Extracted().Matches(RecipeFiles.Read("grafana/flow-log.json").Replace("\\\"", "\"", StringComparison.Ordinal))
            .Select(static match => match.Groups["name"].Value)];
        Assert.True(asked.Length > 8, $"only {asked.Length}");
        string[] known = [.. JsonFields.Vocabulary.Always, .. JsonFields.Vocabulary.Names, "reason", "lost"];
        Assert.Equal("", string.Join(' ', asked.Except(known, StringComparer.Ordinal)));
    }

    private static void AssertSame(IEnumerable<string> expected, IEnumerable<string> actual) => Assert.Equal(
        string.Join('\n', expected.Order(StringComparer.Ordinal)), string.Join('\n', actual.Order(StringComparer.Ordinal)));

    /// <summary>The fields of the records that are about no flow.</summary>
    private static IEnumerable<string> Written(IRecordWriter writer) => new[] { Gap, Refused }.SelectMany(change =>
    {
        byte[] buffer = new byte[4096];
        return Leaves(JsonDocument.Parse(buffer.AsMemory(0, writer.Write(buffer, change))).RootElement, "");
    });

    private static IEnumerable<string> Leaves(JsonElement element, string path) => element.ValueKind == JsonValueKind.Object
        ? element.EnumerateObject().SelectMany(member => Leaves(member.Value, path.Length == 0 ? member.Name : $"{path}.{member.Name}"))
        : [path];

    private static IEnumerable<string> Mapped(JsonElement properties, string path) => properties.EnumerateObject().SelectMany(member =>
        member.Value.TryGetProperty("properties", out JsonElement below)
            ? Mapped(below, $"{path}{member.Name}.")
            : [path + member.Name]);

    // a column stands at the begin of its line, in the quotes of either dialect
    [GeneratedRegex("^ +['`](?<name>[a-z_]+)['`]:? ", RegexOptions.ExplicitCapture | RegexOptions.Multiline, 1000)]
    private static partial Regex Columns();

    [GeneratedRegex("(?:json |, )[a-z]+=\"(?<name>[a-z_]+)\"", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Extracted();
}
