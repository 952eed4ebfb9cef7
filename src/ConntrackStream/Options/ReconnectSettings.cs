using System.ComponentModel.DataAnnotations;
using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Service.Options;

/// <summary><c>Tap:Reconnect</c>: how a failed event socket is opened again: at once, then with growing delays, for ever.</summary>
public sealed class ReconnectSettings : IValidatableObject
{
    /// <summary>Delay after the first failed attempt. Default 5 s.</summary>
    [DurationRange("00:00:00.010", "01:00:00")]
    public TimeSpan FirstDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>No delay is longer, jitter included. Default 5 min.</summary>
    [DurationRange("00:00:00.010", "1.00:00:00")]
    public TimeSpan MaxDelay { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Each delay is the one before times this. Default 1.5.</summary>
    [Range(1.0, 10.0)]
    public double Factor { get; set; } = 1.5;

    /// <summary>Part of the delay by which it varies at random, up and down. Default 0.5 (±50 %).</summary>
    [Range(0.0, 1.0)]
    public double Jitter { get; set; } = 0.5;

    /// <summary>A connection healthy for so long makes the next failure begin with the first delay again. Default 60 s.</summary>
    [DurationRange("00:00:00", "1.00:00:00")]
    public TimeSpan ResetAfter { get; set; } = TimeSpan.FromSeconds(60);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (MaxDelay < FirstDelay)
            yield return new ValidationResult($"must not be shorter than FirstDelay ({FirstDelay})", [nameof(MaxDelay)]);
    }
}
