using System.ComponentModel.DataAnnotations;
using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Service.Options;

/// <summary><c>TableHealth</c>: when the kernel's table itself is in danger.</summary>
public sealed class TableHealthSettings : IOptionSection, IValidatableObject
{
    /// <summary>Between two looks.</summary>
    [DurationRange("00:00:01", "01:00:00")]
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Warn at this fill, in percent of nf_conntrack_max.</summary>
    [Range(1, 100)]
    public int WarningPercent { get; set; } = 80;

    /// <summary>Warn as critical at this fill.</summary>
    [Range(1, 100)]
    public int CriticalPercent { get; set; } = 95;

    /// <summary>The same warning is not repeated sooner.</summary>
    [DurationRange("00:00:01", "1.00:00:00")]
    public TimeSpan RepeatAfter { get; set; } = TimeSpan.FromMinutes(5);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (CriticalPercent < WarningPercent)
            yield return new ValidationResult($"must not be less than WarningPercent ({WarningPercent})", [nameof(CriticalPercent)]);
    }
}
