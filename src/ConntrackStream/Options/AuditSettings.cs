using System.ComponentModel.DataAnnotations;
using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Service.Options;

/// <summary><c>Audit</c>: how often the live view is compared with the kernel's table.</summary>
public sealed class AuditSettings
{
    /// <summary>Between two full comparisons. Default 150 s.</summary>
    [DurationRange("00:00:01", "1.00:00:00")]
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(150);

    /// <summary>Part of the interval by which it varies at random, up and down. Default 0.1 (±10 %).</summary>
    [Range(0.0, 0.5)]
    public double Jitter { get; set; } = 0.1;

    /// <summary>
    /// Looks each second at the kernel's own count of entries; three looks in a row that disagree with the view start a resync early.
    /// Off anyway with a Tap:Filter, where the two differ by nature. Default true.
    /// </summary>
    public bool Probe { get; set; } = true;
}
