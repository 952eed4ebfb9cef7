using System.Globalization;
using System.Text;
using ConntrackStream.Pipeline.Modules;

namespace ConntrackStream.Service.Api;

/// <summary>
/// Metrics in the two text formats that scrapers read. Names and labels are the same in both, so that no series changes with the format.
/// No library writes them: those for .NET either cannot report counters that the service owns (prometheus-net) or add a label of their own
/// to each series and name the buckets differently in the two formats (OpenTelemetry's exporter).
/// </summary>
internal static class PrometheusText
{
    private static readonly string[] Units = ["seconds", "bytes"];

    /// <summary>
    /// Prometheus's text format 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/. Or OpenMetrics 1.0.0:
    /// https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md.
    /// </summary>
    internal static string Write(IEnumerable<MetricFamily> families, MetricsFormat format)
    {
        StringBuilder text = new();
        bool isOpen = format == MetricsFormat.OpenMetrics;
        foreach (MetricFamily family in families)
        {
            MetricSample[] samples = [.. family.Read()];
            if (samples.Length == 0)
                continue;
            AppendHead(text, family, isOpen);
            foreach (MetricSample sample in samples)
                Append(text, family, sample);
        }

        return text.Append(isOpen ? "# EOF\n" : "").ToString();
    }

    private static void AppendHead(StringBuilder text, MetricFamily family, bool isOpen)
    {
        string name = isOpen ? OpenName(family) : family.Name;
        text.Append("# HELP ").Append(name).Append(' ').Append(Escape(family.Help, quotes: isOpen)).Append('\n');
        text.Append("# TYPE ").Append(name).Append(' ').Append(TypeOf(family.Type, isOpen)).Append('\n');
        if (isOpen && Array.Find(Units, unit => name.EndsWith($"_{unit}", StringComparison.Ordinal)) is { } unit)
            text.Append("# UNIT ").Append(name).Append(' ').Append(unit).Append('\n');
    }

    private static void Append(StringBuilder text, MetricFamily family, in MetricSample sample)
    {
        text.Append(family.Name).Append(sample.Suffix);
        for (int i = 0; i < sample.Labels.Count; i++)
        {
            (string key, object? value) = sample.Labels[i];
            text.Append(i == 0 ? '{' : ',').Append(key).Append("=\"").Append(Escape((string)value!, quotes: true)).Append('"');
        }

        text.Append(sample.Labels.Count > 0 ? "} " : " ").Append(sample.Value.ToString(CultureInfo.InvariantCulture)).Append('\n');
    }

    /// <summary>In OpenMetrics the suffix belongs to the sample, not to the family.</summary>
    private static string OpenName(MetricFamily family) => family.Type switch
    {
        MetricType.Counter => family.Name[..^"_total".Length],
        MetricType.Info => family.Name[..^"_info".Length],
        _ => family.Name,
    };

    private static string TypeOf(MetricType type, bool isOpen) => type switch
    {
        MetricType.Counter => "counter",
        MetricType.Histogram => "histogram",
        MetricType.Info when isOpen => "info",
        _ => "gauge",
    };

    private static string Escape(string value, bool quotes)
    {
        string escaped = value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
        return quotes ? escaped.Replace("\"", "\\\"", StringComparison.Ordinal) : escaped;
    }
}
