using System.ComponentModel.DataAnnotations;
using System.Globalization;

namespace ConntrackStream.Pipeline.Configuration;

/// <summary>
/// Bounds of a <see cref="TimeSpan"/>, inclusive. (RangeAttribute with a Type converts by reflection, which trimming breaks.)
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class DurationRangeAttribute(string minimum, string maximum) : ValidationAttribute
{
    public string Minimum { get; } = minimum;

    public string Maximum { get; } = maximum;

    public override bool IsValid(object? value) =>
        value is not TimeSpan duration
        || (duration >= TimeSpan.Parse(Minimum, CultureInfo.InvariantCulture)
        && duration <= TimeSpan.Parse(Maximum, CultureInfo.InvariantCulture));

    public override string FormatErrorMessage(string name) => $"must be from {Minimum} to {Maximum}";
}
