using System.ComponentModel.DataAnnotations;

namespace ConntrackStream.Service.Options;

/// <summary><c>Audit</c>: how often the live view is compared with the kernel's table.</summary>
public sealed class AuditSettings
{
    /// <summary>Between two full comparisons. Default 150 s.</summary>
    [DurationRange("00:00:01", "1.00:00:00")]
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(150);

    /// <summary>Part of the interval by which it varies at random, up and down. Default 0.1 (±10 %).</summary>
    [Range(0.0, 0.9)]
    public double Jitter { get; set; } = 0.1;

    /// <summary>Between two looks at the kernel's own count of entries. Default 1 s.</summary>
    [DurationRange("00:00:00.100", "01:00:00")]
    public TimeSpan ProbeInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>So many looks in a row that disagree with the view start a resync early. Default 3.</summary>
    [Range(1, 1000)]
    public int ProbeMisses { get; set; } = 3;
}
