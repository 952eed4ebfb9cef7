using System.ComponentModel.DataAnnotations;
using System.Globalization;

namespace ConntrackStream.Service.Options;

/// <summary>Bounds and relations of values that are well-formed each by itself.</summary>
internal static class OptionsValidation
{
    /// <param name="keys">All of the options'.</param>
    internal static IEnumerable<string> Validate(ServiceOptions options, IReadOnlyList<OptionKey> keys, ConfigurationValues values)
    {
        foreach (string fault in Validate(keys, values))
            yield return fault;
        if (options.Map.Path is { } path && !options.Tap.Filter.Build().IsEmpty)
            yield return FilteredMap(path, keys, values);
    }

    /// <param name="keys">All of their sections.</param>
    internal static IEnumerable<string> Validate(IReadOnlyList<OptionKey> keys, ConfigurationValues values)
    {
        foreach (OptionKey key in keys)
        {
            object? value = key.Value;
            foreach (ValidationAttribute rule in key.Property.GetCustomAttributes(inherit: true).OfType<ValidationAttribute>())
            {
                if (!rule.IsValid(value))
                    yield return $"{key.Path}: \"{key.Text}\" {Allowed(rule, key)} [{Source(key.Path, values)}]";
            }
        }

        foreach (IGrouping<object, OptionKey> section in keys.GroupBy(static key => key.Section, ReferenceEqualityComparer.Instance))
        {
            if (section.Key is not IValidatableObject validatable)
                continue;
            foreach (ValidationResult result in validatable.Validate(new ValidationContext(section.Key, section.First().Path, null, null)))
                yield return Describe(result, section, values);
        }
    }

    private static string FilteredMap(string path, IReadOnlyList<OptionKey> keys, ConfigurationValues values)
    {
        string prefix = $"{nameof(ServiceOptions.Tap)}:{nameof(TapSettings.Filter)}:";
        IEnumerable<string> filters = keys
            .Where(key => key.Path.StartsWith(prefix, StringComparison.Ordinal) && key.Text.Length > 0)
            .Select(key => $"{key.Path} \"{key.Text}\" [{Source(key.Path, values)}]");
        return $"Map:Path: \"{path}\" cannot go together with {string.Join(" and ", filters)}: entries of flows that the filter hides "
            + "would look stale, and be deleted; take one of them out, or filter the flow log instead (FlowLog:Filter) "
            + $"[{Source("Map:Path", values)}]";
    }

    private static string Describe(ValidationResult result, IGrouping<object, OptionKey> section, ConfigurationValues values)
    {
        OptionKey? key = section.FirstOrDefault(key => result.MemberNames.Contains(key.Property.Name, StringComparer.Ordinal));
        return key is null
            ? result.ErrorMessage!
            : $"{key.Path}: \"{key.Text}\" {result.ErrorMessage} [{Source(key.Path, values)}]";
    }

    private static string Allowed(ValidationAttribute rule, OptionKey key) => rule switch
    {
        RangeAttribute range => string.Create(CultureInfo.InvariantCulture, $"must be from {range.Minimum} to {range.Maximum}"),
        RequiredAttribute => "must not be empty",
        StringLengthAttribute { MinimumLength: > 0 } length => $"must have {length.MinimumLength} to {length.MaximumLength} characters",
        StringLengthAttribute length => $"must have at most {length.MaximumLength} characters",
        _ => rule.FormatErrorMessage(key.Path),
    };

    private static string Source(string path, ConfigurationValues values) =>
        values.SourceOf(path) ?? "the default";
}
