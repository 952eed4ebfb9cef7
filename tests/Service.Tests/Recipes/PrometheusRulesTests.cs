using ConntrackStream.Kernel.Tests.Kit;

namespace ConntrackStream.Service.Tests.Recipes;

/// <summary>docs/recipes/prometheus, by Prometheus's own tool.</summary>
public sealed class PrometheusRulesTests
{
    private static readonly string Folder = Repository.PathOf("docs", "recipes", "prometheus");

    [Fact]
    public void The_configuration_and_its_rules_are_valid() =>
        ToolRun.Output("promtool", ["check", "config", "--lint=all", "--lint-fatal", Path.Combine(Folder, "prometheus.yml")]);

    [Fact]
    public void Each_alert_fires_when_it_should_and_none_in_a_healthy_service()
    {
        ToolRun.Output("promtool", ["test", "rules", Path.Combine(Folder, "rules.test.yml"), Path.Combine(Folder, "recorded.test.yml")]);
        string tests = File.ReadAllText(Path.Combine(Folder, "rules.test.yml"));
        IEnumerable<string> alerts = File.ReadLines(Path.Combine(Folder, "rules.yml"))
            .Where(static line => line.Contains("- alert: ", StringComparison.Ordinal)).Select(static line => line.Split(": ")[1]);
        Assert.All(alerts, alert => Assert.Contains(alert, tests, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("rules.yml")]
    [InlineData("rules.test.yml")]
    [InlineData("recorded.test.yml")]
    public async Task Each_metric_exists(string file) => Assert.Equal("", await MetricQueries.UnknownAsync(
        await File.ReadAllTextAsync(Path.Combine(Folder, file), TestContext.Current.CancellationToken)));

    [Fact]
    public async Task Each_metric_of_the_documented_queries_exists() => Assert.Equal("", await MetricQueries.UnknownAsync(
        await File.ReadAllTextAsync(Repository.PathOf("docs", "metrics.md"), TestContext.Current.CancellationToken)));
}
