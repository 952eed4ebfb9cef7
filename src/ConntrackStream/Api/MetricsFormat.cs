using Microsoft.Net.Http.Headers;

namespace ConntrackStream.Service.Api;

/// <summary>The formats of <c>/metrics</c>.</summary>
internal enum MetricsFormat
{
    /// <summary>Prometheus's own, which every client understands.</summary>
    Text,

    /// <summary>Where a client prefers it: https://prometheus.io/docs/specs/om/open_metrics_spec/.</summary>
    OpenMetrics,
}

/// <summary>Which format a client wants.</summary>
internal static class MetricsFormats
{
    private const string OpenMetricsType = "application/openmetrics-text";
    private const string OpenMetricsVersion = "1.0.0";

    internal static string ContentType(this MetricsFormat format) => format == MetricsFormat.OpenMetrics
        ? $"{OpenMetricsType}; version={OpenMetricsVersion}; charset=utf-8"
        : "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>
    /// OpenMetrics if its name and version are accepted at least as gladly as text. A client that accepts neither gets text: it is more
    /// useful than an error.
    /// </summary>
    /// <param name="accept">Of the request's header; empty: anything.</param>
    internal static MetricsFormat Choose(IList<MediaTypeHeaderValue> accept)
    {
        double open = accept.Where(IsOpenMetrics).Select(Quality).DefaultIfEmpty(0).Max();
        double text = accept.Where(static one => one.MatchesMediaType("text/plain")).Select(Quality).DefaultIfEmpty(0).Max();
        return open > 0 && open >= text ? MetricsFormat.OpenMetrics : MetricsFormat.Text;
    }

    private static bool IsOpenMetrics(MediaTypeHeaderValue accepted)
    {
        if (!accepted.MediaType.Equals(OpenMetricsType, StringComparison.OrdinalIgnoreCase))
            return false;
        NameValueHeaderValue? version = accepted.Parameters.FirstOrDefault(
            static parameter => parameter.Name.Equals("version", StringComparison.OrdinalIgnoreCase));
        return version is null || HeaderUtilities.RemoveQuotes(version.Value).Equals(OpenMetricsVersion, StringComparison.Ordinal);
    }

    private static double Quality(MediaTypeHeaderValue accepted) => accepted.Quality ?? 1;
}
