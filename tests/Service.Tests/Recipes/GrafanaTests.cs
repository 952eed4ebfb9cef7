using System.Text;
using System.Text.Json;
using ConntrackStream.Kernel.Tests.Kit;

namespace ConntrackStream.Service.Tests.Recipes;

/// <summary>The dashboard over Prometheus: its queries are PromQL, and ask for metrics that there are.</summary>
public sealed class GrafanaTests
{
    private static readonly string Dashboard = RecipeFiles.Read("grafana/conntrack-stream.json");

    [Fact]
    public async Task Each_metric_exists() => Assert.Equal("", await MetricQueries.UnknownAsync(Dashboard));

    [Fact]
    public void Each_query_is_valid()
    {
        StringBuilder rules = new("groups:\n- name: dashboard\n  rules:\n");
        int queries = 0;
        foreach (string query in Queries())
        {
            string promql = query.Replace("$__rate_interval", "1m", StringComparison.Ordinal)
                .Replace("$instance", ".+", StringComparison.Ordinal);
            Assert.DoesNotContain("$", promql, StringComparison.Ordinal);
            rules.Append("  - record: q").Append(++queries).Append("\n    expr: ").Append(JsonSerializer.Serialize(promql)).Append('\n');
        }

        Assert.True(queries > 15, $"only {queries}");
        string file = Path.GetTempFileName();
        File.WriteAllText(file, rules.ToString());
        ToolRun.Output("promtool", ["check", "rules", file]);
        File.Delete(file);
    }

    private static IEnumerable<string> Queries()
    {
        using JsonDocument dashboard = JsonDocument.Parse(Dashboard);
        foreach (JsonElement panel in dashboard.RootElement.GetProperty("panels").EnumerateArray())
        {
            foreach (JsonElement target in panel.GetProperty("targets").EnumerateArray())
                yield return target.GetProperty("expr").GetString()!;
        }
    }
}
