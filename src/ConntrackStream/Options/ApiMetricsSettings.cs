using System.ComponentModel.DataAnnotations;
using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Service.Options;

/// <summary><c>Api:Metrics</c>: metrics for a scraper that does not reach the socket.</summary>
public sealed class ApiMetricsSettings : IOptionSection, IValidatableObject
{
    /// <summary>
    /// TCP address, such as 0.0.0.0:9469, that serves <c>/metrics</c>, <c>/healthz</c> and <c>/readyz</c> and nothing else, to everyone who
    /// reaches it. null: none.
    /// </summary>
    public string? Listen { get; set; }

    /// <summary>
    /// File for node_exporter's textfile collector, such as /var/lib/node_exporter/conntrack_stream.prom; replaced as a whole, removed when
    /// the service ends. null: none.
    /// </summary>
    public string? TextFile { get; set; }

    /// <summary>How often TextFile is written.</summary>
    [DurationRange("00:00:01", "01:00:00")]
    public TimeSpan TextFileInterval { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>What is wrong; each result's message completes "key: value …".</summary>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Listen is { } address && !ListenText.TryParse(address, out _))
            yield return new ValidationResult("must be an address with a port, such as 0.0.0.0:9469 or [::]:9469", [nameof(Listen)]);
        if (TextFile is { } path && (!Path.IsPathRooted(path) || !path.EndsWith(".prom", StringComparison.Ordinal)))
            yield return new ValidationResult("must be a whole path that ends in .prom: node_exporter reads no other", [nameof(TextFile)]);
    }
}
