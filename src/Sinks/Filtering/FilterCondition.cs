using System.Diagnostics.CodeAnalysis;
using ConntrackStream.EventTap.Filtering;

namespace ConntrackStream.Sinks.Filtering;

/// <summary>
/// One condition of a filter, with the names that conntrack-tools have for it: an option of the command line, a parameter of the HTTP
/// interface, a word of a rule.
/// </summary>
internal sealed record FilterCondition
{
    private readonly Func<FilterDraft, string, string?> _add;

    private FilterCondition(string name, string value, Func<FilterDraft, string, string?> add)
    {
        Name = name;
        Value = value;
        _add = add;
    }

    /// <summary>Reads a value.</summary>
    internal delegate bool Parse<T>(string? text, out T value, [NotNullWhen(false)] out string? error);

    /// <summary>Without dashes.</summary>
    internal string Name { get; }

    /// <summary>Other long names, without dashes.</summary>
    internal string[] OtherNames { get; init; } = [];

    /// <summary>The letter of the option; null for none.</summary>
    internal char? Letter { get; init; }

    /// <summary>What its value is called.</summary>
    internal string Value { get; }

    internal string Description { get; init; } = "";

    internal FilterScope Scope { get; init; } = FilterScope.Tuple;

    /// <summary>It is one condition, however many values there are; else each value is an alternative.</summary>
    internal bool IsOnce { get; init; }

    /// <summary>It may stand without a value.</summary>
    internal bool IsBareAllowed { get; init; }

    /// <summary>Commas are its own; else they separate alternatives.</summary>
    internal bool KeepsCommas { get; init; }

    /// <summary>Adds what was given to a filter.</summary>
    /// <param name="text">Empty where it stands without a value.</param>
    /// <returns>What is wrong with the value; null when nothing is.</returns>
    internal string? Add(FilterDraft draft, string text)
    {
        if (KeepsCommas)
            return _add(draft, text);
        foreach (string part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            if (_add(draft, part) is { } problem)
                return problem;
        }

        return null;
    }

    internal static FilterCondition Of<T>(string name, string value, Parse<T> parse, Func<FlowFilter, T, FlowFilter> add) =>
        Drafted(name, value, parse, (draft, read) => draft.Filter = add(draft.Filter, read));

    internal static FilterCondition Drafted<T>(string name, string value, Parse<T> parse, Action<FilterDraft, T> add) => new(
        name,
        value,
        (draft, text) =>
        {
            if (!parse(text, out T read, out string? error))
                return error;
            add(draft, read);
            return null;
        });
}
