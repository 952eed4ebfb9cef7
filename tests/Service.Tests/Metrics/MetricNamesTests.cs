using System.Text.RegularExpressions;
using ConntrackStream.Pipeline.Modules;

namespace ConntrackStream.Service.Tests.Metrics;

/// <summary>Dashboards and alerts depend on names: a change of MetricNames.txt is a change for users.</summary>
public sealed partial class MetricNamesTests
{
    [Fact]
    public async Task Names_and_types_are_those_of_the_list()
    {
        string[] pinned = await File.ReadAllLinesAsync(
            Repository.PathOf("tests", "Service.Tests", "Metrics", "MetricNames.txt"), TestContext.Current.CancellationToken);
        IEnumerable<string> now = (await AllMetrics.FamiliesAsync())
            .Select(static family => $"{family.Name} {family.Type.ToString().ToLowerInvariant()}");
        Assert.Equal(string.Join('\n', pinned), string.Join('\n', now.Order(StringComparer.Ordinal)));
    }

    [Fact]
    public async Task Each_has_one_sentence_of_help_and_base_units()
    {
        Assert.All(await AllMetrics.FamiliesAsync(), static family =>
        {
            Assert.Matches(@"^[A-Z0-9][^\n]+[.)]$", family.Help);
            Assert.DoesNotMatch("_(ms|milliseconds|kb|mb|kilobytes|minutes|percent|ratio_percent)(_|$)", family.Name);
        });
    }

    /// <summary>In docs/metrics.md or the page of its feature, with the labels that its series have.</summary>
    [Fact]
    public async Task Each_is_documented_with_its_labels()
    {
        HashSet<string> documented = new(StringComparer.Ordinal);
        foreach (string page in Directory.GetFiles(Repository.PathOf("docs"), "*.md"))
        {
            foreach (Match match in Code().Matches(await File.ReadAllTextAsync(page, TestContext.Current.CancellationToken)))
                documented.Add(match.Groups["name"].Value + match.Groups["labels"].Value);
        }

        IEnumerable<string> missing = (await AllMetrics.FamiliesAsync()).Where(one => !IsDocumented(one, documented))
            .Select(static one => one.Name);
        Assert.Equal("", string.Join('\n', missing));
    }

    private static bool IsDocumented(MetricFamily family, HashSet<string> documented)
    {
        string name = family.Name.Replace("conntrack_stream_", "", StringComparison.Ordinal);
        MetricSample sample = family.Read().FirstOrDefault();
        if (sample.Labels is null) // no series without the feature: any labels will do
            return documented.Any(word => word == name || word.StartsWith(name + "{", StringComparison.Ordinal));
        return documented.Contains(
            sample.Labels.Count == 0 ? name : $"{name}{{{string.Join(',', sample.Labels.Select(static label => label.Key))}}}");
    }

    [Theory]
    [InlineData("requests", MetricType.Counter)]
    [InlineData("requests_total", MetricType.Gauge)]
    [InlineData("version_info", MetricType.Gauge)]
    [InlineData("version", MetricType.Info)]
    [InlineData("latency_ms", MetricType.Histogram)]
    [InlineData("Waiting", MetricType.Gauge)]
    [InlineData("in-flight", MetricType.Gauge)]
    [InlineData("a__b", MetricType.Gauge)]
    public void A_name_that_breaks_the_conventions_is_refused(string name, MetricType type)
    {
        using System.Diagnostics.Metrics.Meter meter = new("test");
        Instruments instruments = new(meter);
        ArgumentException e = Assert.Throws<ArgumentException>(() => Add(instruments, name, type));
        Assert.StartsWith($"{name} is no name for a metric of type {type}", e.Message, StringComparison.Ordinal);
        Assert.Empty(instruments.Families);
    }

    private static void Add(Instruments instruments, string name, MetricType type)
    {
        switch (type)
        {
            case MetricType.Counter:
                instruments.Counter(name, "Help.", static () => []);
                break;
            case MetricType.Gauge:
                instruments.Gauge(name, "Help.", static () => []);
                break;
            case MetricType.Histogram:
                instruments.Histogram(name, "Help.", static () => null);
                break;
            default:
                instruments.Info(name, "Help.");
                break;
        }
    }

    [GeneratedRegex("`(?<name>[a-z0-9_]+)(?<labels>\\{[a-z,]+\\})?`", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Code();
}
