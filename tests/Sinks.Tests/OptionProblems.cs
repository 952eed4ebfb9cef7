using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Reclassify.External;

namespace ConntrackStream.Sinks.Tests;

/// <summary>Validation results as sentences that name key and value.</summary>
internal static class OptionProblems
{
    internal static IReadOnlyList<string> Validate(this FlowLogOptions options) =>
    [
        .. Describe("FlowLog", options),
        .. Describe("FlowLog:Rotation", options.Rotation),
        .. Describe("FlowLog:Filter:Include", options.Filter.Include),
        .. Describe("FlowLog:Filter:Exclude", options.Filter.Exclude),
    ];

    internal static IReadOnlyList<string> Validate(this ExternalOptions options) => [.. Describe("Reclassify:External", options)];

    private static IEnumerable<string> Describe<T>(string section, T options)
        where T : IValidatableObject
    {
        foreach (ValidationResult result in options.Validate(new ValidationContext(options)))
        {
            string name = result.MemberNames.First();
            yield return $"{section}:{name}: \"{Format(typeof(T).GetProperty(name)!.GetValue(options))}\" {result.ErrorMessage}";
        }
    }

    private static string Format(object? value) => value is IEnumerable list and not string
        ? string.Join(',', list.Cast<object>().Select(Format))
        : Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
}
