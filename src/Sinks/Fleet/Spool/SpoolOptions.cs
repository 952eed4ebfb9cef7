using System.ComponentModel.DataAnnotations;
using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Sinks.Fleet.Spool;

/// <summary>
/// <c>Nats:Spool</c>, and <c>Spool</c> of every other engine: the files in State:Directory that keep each message until the server has
/// acknowledged it, over an outage of the server and over a kill of the service.
/// </summary>
public sealed class SpoolOptions : IOptionSection, IValidatableObject
{
    /// <summary>Size of all files. When they are full, new records are dropped, and a gap record has their number.</summary>
    public long MaxBytes { get; set; } = 1L << 30;

    /// <summary>
    /// Messages that were not sent for so long are dropped, the oldest first, and a gap record stands in their place. 0: no limit.
    /// </summary>
    [DurationRange("00:00:00", "365.00:00:00")]
    public TimeSpan MaxAge { get; set; } = TimeSpan.FromDays(3);

    /// <summary>
    /// With less free space on the disk than this nothing more is written there: messages are then in memory only, and lost when the
    /// process is killed.
    /// </summary>
    public long KeepFreeBytes { get; set; } = 256L << 20;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (MaxBytes is < 1 << 20 or > 1L << 44)
            yield return new ValidationResult("must be from 1 MiB to 16 TiB", [nameof(MaxBytes)]);
        if (KeepFreeBytes is < 0 or > 1L << 44)
            yield return new ValidationResult("must be from 0 to 16 TiB", [nameof(KeepFreeBytes)]);
    }
}
