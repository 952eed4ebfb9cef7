using System.CommandLine;
using System.CommandLine.Parsing;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.Sinks.Filtering;

namespace ConntrackStream.Service.Cli;

/// <summary>
/// The filter options, everywhere the same and named as in conntrack-tools. A list (repeated, or with commas) means any of it.
/// </summary>
internal sealed class FilterOptions
{
    private const string Alternatives = "--filter";

    private readonly (FilterCondition Condition, Option<string[]> Option)[] _conditions;
    private readonly Option<string[]> _alternatives;

    /// <param name="widest">What flows are asked for; conditions on more are no options.</param>
    /// <param name="takenLetter">An option of the verb's own has this letter.</param>
    internal FilterOptions(FilterScope widest = FilterScope.Moment, char takenLetter = default)
    {
        _conditions =
        [
            .. FilterConditions.All.Where(condition => condition.Scope <= widest)
                .Select(condition => (condition, OptionOf(condition, takenLetter))),
        ];
        _alternatives = new Option<string[]>(Alternatives)
        {
            Description = "Words and values of such options, as one argument: \"mark 0x100-0x1ff proto udp\"; of several, one must match",
            HelpName = "RULE",
            Arity = ArgumentArity.OneOrMore,
        };
        _alternatives.Validators.Add(result =>
        {
            foreach (Token token in result.Tokens)
            {
                if (ProblemOf(token.Value, widest) is { } problem)
                    result.AddError($"{Alternatives}: {problem}");
            }
        });
        All = widest == FilterScope.Tuple
            ? [.. _conditions.Select(static one => one.Option)]
            : [.. _conditions.Select(static one => one.Option), _alternatives];
    }

    internal IReadOnlyList<Option> All { get; }

    /// <summary>The filter; what is wrong was reported when the command line was parsed.</summary>
    internal FlowFilter Read(ParseResult parsed) => Read(parsed.GetResult, out _);

    /// <inheritdoc cref="Read(ParseResult)"/>
    internal FlowFilter Read(CommandResult command) => Read(command.GetResult, out _);

    /// <summary>The same filter as a query string for the running service, empty for none.</summary>
    internal string ToQuery(ParseResult parsed) => string.Join('&', Given(parsed).SelectMany(
        static given => given.IsWhole ? given.Values : [given.Values.Length == 0 ? "true" : string.Join(',', given.Values)],
        static (given, value) => $"{QueryName(given.Option.Name.TrimStart('-'))}={Uri.EscapeDataString(value)}"));

    /// <summary>An option as a parameter of the HTTP interface, where <c>id</c> is a column of text.</summary>
    internal static string QueryName(string option) => option == "id" ? "ct-id" : option;

    /// <summary>The same filter as it is written on a command line, empty for none.</summary>
    internal string ToText(ParseResult parsed) => string.Join(' ', Given(parsed).SelectMany(
        static given => given.IsWhole ? given.Values.Select(Quoted) : [string.Join(',', given.Values)],
        static (given, value) => value.Length == 0 ? given.Option.Name : $"{given.Option.Name} {value}"));

    private IEnumerable<(Option Option, string[] Values, bool IsWhole)> Given(ParseResult parsed) => All
        .Select(parsed.GetResult)
        .OfType<OptionResult>()
        .Where(static given => !given.Implicit)
        .Select(given => (given.Option, given.Tokens.Select(static token => token.Value).ToArray(), KeepsCommas(given.Option)));

    /// <summary>Commas are part of a value: several values are given one by one.</summary>
    private bool KeepsCommas(Option option) =>
        option == _alternatives || _conditions.Any(one => one.Option == option && one.Condition.KeepsCommas);

    private static string Quoted(string value) => value.Contains(' ', StringComparison.Ordinal) ? $"\"{value}\"" : value;

    private FlowFilter Read(Func<Option, OptionResult?> resultOf, out string? problem)
    {
        FilterDraft draft = new();
        foreach ((FilterCondition condition, Option<string[]> option) in _conditions)
        {
            if (resultOf(option) is { Implicit: false } given)
                Add(condition, given, draft);
        }

        draft.TryFinish(out FlowFilter filter, out problem);
        return resultOf(_alternatives) is { Implicit: false } rules
            ? filter with { AnyOf = [.. rules.Tokens.Select(static token => Rule(token.Value, out _)).OfType<FlowFilter>()] }
            : filter;
    }

    private Option<string[]> OptionOf(FilterCondition condition, char takenLetter)
    {
        IEnumerable<string> letters = condition.Letter is { } letter && letter != takenLetter ? [$"-{letter}"] : [];
        Option<string[]> option = new(
            $"--{condition.Name}", [.. letters, .. condition.OtherNames.Select(static name => $"--{name}")])
        {
            Description = condition.Description,
            HelpName = condition.Value,
            Arity = condition.IsBareAllowed ? ArgumentArity.ZeroOrOne
                : condition.IsOnce ? ArgumentArity.ExactlyOne
                : ArgumentArity.OneOrMore,
            CustomParser = static result => [.. result.Tokens.Select(static token => token.Value)],
        };
        option.Validators.Add(result =>
        {
            if (Add(condition, result, new FilterDraft()) is { } problem)
            {
                result.AddError($"--{condition.Name}: {problem}");
                return;
            }

            Read(other => result.Parent is CommandResult command ? command.GetResult(other) : null, out string? together);
            if (together is not null)
                result.AddError($"--{together}");
        });
        return option;
    }

    private static string? Add(FilterCondition condition, OptionResult given, FilterDraft draft)
    {
        if (given.Tokens.Count == 0)
            return condition.IsBareAllowed ? condition.Add(draft, "") : null; // a missing value is the parser's to report
        return given.Tokens.Select(token => condition.Add(draft, token.Value)).FirstOrDefault(static problem => problem is not null);
    }

    private static string? ProblemOf(string rule, FilterScope widest) =>
        Rule(rule, out string? problem) is { IsStable: false } && widest < FilterScope.Moment
            ? $"'{rule}' is not the same for a flow's whole life, which is what is asked here"
            : problem;

    private static FlowFilter? Rule(string text, out string? problem) =>
        FilterRule.TryParse(text, [], out FlowFilter? filter, out problem) ? filter : null;
}
