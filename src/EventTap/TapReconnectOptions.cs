using System.Globalization;

namespace ConntrackStream.EventTap;

/// <summary>
/// How a failed event socket is opened again: once at once, then after <see cref="InitialDelay"/>, each wait <see cref="Factor"/> times the
/// one before, up to <see cref="MaxDelay"/>, for ever.
/// </summary>
public sealed class TapReconnectOptions
{
    /// <summary>The wait after the first failed attempt. Default 5 s.</summary>
    public TimeSpan InitialDelay { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>No wait is longer, jitter included. Default 5 min.</summary>
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Growth of each wait, at least 1. Default 1.5.</summary>
    public double Factor { get; init; } = 1.5;

    /// <summary>Each wait is shortened or lengthened by up to this share of it, evenly spread; 0 to 1. Default 0.5.</summary>
    public double Jitter { get; init; } = 0.5;

    /// <summary>A socket that lived this long begins the waits anew; one that dies sooner continues them. Default 60 s.</summary>
    public TimeSpan HealthyAfter { get; init; } = TimeSpan.FromSeconds(60);

    /// <inheritdoc cref="TapOptions.FindFault"/>
    public string? FindFault() => this switch
    {
        _ when InitialDelay <= TimeSpan.Zero => $"{nameof(InitialDelay)} is {InitialDelay}, it must be above 0",
        _ when MaxDelay < InitialDelay || MaxDelay > TimeSpan.FromDays(1) =>
            $"{nameof(MaxDelay)} is {MaxDelay}, it must be from {nameof(InitialDelay)} ({InitialDelay}) to 1 day",
        _ when !(Factor >= 1) => string.Create(CultureInfo.InvariantCulture, $"{nameof(Factor)} is {Factor}, it must be at least 1"),
        _ when !(Jitter is >= 0 and <= 1) =>
            string.Create(CultureInfo.InvariantCulture, $"{nameof(Jitter)} is {Jitter}, it must be 0 to 1"),
        _ when HealthyAfter < TimeSpan.Zero => $"{nameof(HealthyAfter)} is {HealthyAfter}, it must not be negative",
        _ => null,
    };

    internal Backoff NewBackoff(Random random) =>
        new(InitialDelay, MaxDelay) { BeginsAtOnce = true, Factor = Factor, Jitter = Jitter, Random = random };
}
