using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Globalization;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>Validation results as sentences that name key and value.</summary>
internal static class OptionProblems
{
    internal static IEnumerable<string> Describe<T>(string section, T options)
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
