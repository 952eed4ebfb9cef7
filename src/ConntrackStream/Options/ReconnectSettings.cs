using System.ComponentModel.DataAnnotations;
using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Service.Options;

/// <summary><c>Tap:Reconnect</c>: how a failed event socket is opened again: at once, then with growing delays, for ever.</summary>
public sealed class ReconnectSettings : IOptionSection, IValidatableObject
{
    /// <summary>Delay after the first failed attempt.</summary>
    [DurationRange("00:00:00.010", "01:00:00")]
    public TimeSpan FirstDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>No delay is longer, jitter included.</summary>
    [DurationRange("00:00:00.010", "1.00:00:00")]
    public TimeSpan MaxDelay { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Growth of each delay.</summary>
    [Range(1.0, 10.0)]
    public double Factor { get; set; } = 1.5;

    /// <summary>Part of the delay by which it varies at random, up and down.</summary>
    [Range(0.0, 1.0)]
    public double Jitter { get; set; } = 0.5;

    /// <summary>After a socket has been healthy for so long, delays begin with the first one again.</summary>
    [DurationRange("00:00:00", "1.00:00:00")]
    public TimeSpan ResetAfter { get; set; } = TimeSpan.FromSeconds(60);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (MaxDelay < FirstDelay)
            yield return new ValidationResult($"must not be shorter than FirstDelay ({FirstDelay})", [nameof(MaxDelay)]);
    }
}
