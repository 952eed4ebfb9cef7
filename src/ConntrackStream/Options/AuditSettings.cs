using System.ComponentModel.DataAnnotations;
using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Service.Options;

/// <summary><c>Audit</c>: how often the live view is compared with the kernel's table.</summary>
public sealed class AuditSettings : IOptionSection
{
    /// <summary>Between two full comparisons.</summary>
    [DurationRange("00:00:01", "1.00:00:00")]
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(150);

    /// <summary>Part of the interval by which it varies at random, up and down.</summary>
    [Range(0.0, 0.5)]
    public double Jitter { get; set; } = 0.1;

    /// <summary>
    /// Compare the kernel's own count with the view each second, at rest every five, and resynchronise early when they disagree three
    /// times in a row. Off with a Tap:Filter.
    /// </summary>
    public bool Probe { get; set; } = true;
}
