using System.ComponentModel.DataAnnotations;
using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>
/// <c>FlowLog:Rotation</c> and <c>Map:EvidenceRotation</c>: when the file is renamed and a new one begun, by this program itself. With both
/// limits 0 (for instance because logrotate does it, with SIGHUP after the rename) it never is. Standard output is not rotated.
/// </summary>
public sealed class RotationOptions : IOptionSection, IValidatableObject
{
    /// <summary>Rotate before the file would exceed this. 0: never by size.</summary>
    public long MaxBytes { get; set; } = 100L * 1024 * 1024;

    /// <summary>
    /// Rotate at the first write after each multiple of this time in UTC: hours on the hour, days at midnight, weeks on Monday. 0: never by
    /// time.
    /// </summary>
    public TimeSpan Interval { get; set; }

    /// <summary>Rotated files to keep; older ones are deleted.</summary>
    public int Keep { get; set; } = 10;

    /// <summary>Compress rotated files with gzip, in the background.</summary>
    public bool Compress { get; set; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (MaxBytes is < 0 or (> 0 and < 64 * 1024))
            yield return new ValidationResult("must be 0 (never) or at least 65536", [nameof(MaxBytes)]);
        if (Interval < TimeSpan.Zero || (Interval > TimeSpan.Zero && Interval < TimeSpan.FromSeconds(1)))
            yield return new ValidationResult("must be 0 (never) or at least 00:00:01", [nameof(Interval)]);
        if (Keep is < 1 or > 10_000)
            yield return new ValidationResult("must be from 1 to 10000", [nameof(Keep)]);
    }
}
