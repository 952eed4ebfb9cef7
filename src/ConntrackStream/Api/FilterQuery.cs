using ConntrackStream.EventTap.Filtering;
using ConntrackStream.Service.Api.Problems;
using ConntrackStream.Service.Cli;
using ConntrackStream.Sinks.Filtering;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace ConntrackStream.Service.Api;

/// <summary>
/// A filter from a query string: the command line's long options as parameters (<c>?proto=tcp&amp;dport=443</c>), with the same values.
/// What is wrong is said of the parameter, not of the option.
/// </summary>
internal static class FilterQuery
{
    private const string Alternatives = "filter";

    private static readonly string[] Names =
        [.. FilterConditions.All.Select(static condition => FilterOptions.QueryName(condition.Name)), Alternatives];

    internal static bool TryParse(
        IQueryCollection query, IReadOnlyCollection<string> otherParameters, out FlowFilter filter, out QueryFault? fault)
    {
        filter = FlowFilter.All;
        FilterDraft draft = new();
        List<FlowFilter> alternatives = [];
        List<QueryFault> faults = [];
        foreach ((string name, StringValues values) in query)
        {
            if (otherParameters.Contains(name, StringComparer.Ordinal))
            {
                fault = QueryFault.Repeated(name, values);
                if (fault is not null)
                    return false;
            }
            else if (name == Alternatives)
            {
                faults.AddRange(AddRules(values, alternatives));
            }
            else if (Find(name) is { } condition)
            {
                if (Add(condition, name, values, draft) is { } wrong)
                    faults.Add(wrong);
            }
            else
            {
                fault = QueryFault.Unknown(name, [.. otherParameters, .. Names]);
                return false;
            }
        }

        if (faults.Count == 0 && !draft.TryFinish(out filter, out string? together))
            faults.Add(OfSeveral(together, query));
        fault = QueryFault.Of(faults);
        filter = filter with { AnyOf = [.. alternatives] };
        return fault is null;
    }

    private static FilterCondition? Find(string name) =>
        FilterOptions.QueryName(name) == name ? FilterConditions.Find(name) : null;

    private static QueryFault? Add(FilterCondition condition, string name, StringValues values, FilterDraft draft)
    {
        if (condition.IsOnce && QueryFault.Repeated(name, values, ProblemType.BadFilter, condition.Value) is { } repeated)
            return repeated;
        foreach (string? value in values)
        {
            if (string.IsNullOrWhiteSpace(value) && !condition.IsBareAllowed)
            {
                return new QueryFault(
                    ProblemType.BadFilter, name, $"{name}: has no value; give {name}={condition.Value}, or leave it out");
            }

            if (condition.Add(draft, value ?? "") is { } problem)
                return new QueryFault(ProblemType.BadFilter, name, $"{name}: {problem}");
        }

        return null;
    }

    private static IEnumerable<QueryFault> AddRules(StringValues rules, List<FlowFilter> alternatives)
    {
        foreach (string? rule in rules)
        {
            if (FilterRule.TryParse(rule ?? "", [], out FlowFilter? filter, out string? problem))
                alternatives.Add(filter);
            else
                yield return new QueryFault(ProblemType.BadFilter, Alternatives, $"{Alternatives}: {problem}");
        }
    }

    /// <summary>Of conditions that do not go together. The message begins with their names.</summary>
    private static QueryFault OfSeveral(string problem, IQueryCollection query)
    {
        string names = problem[..problem.IndexOf(':', StringComparison.Ordinal)];
        return new QueryFault(ProblemType.BadFilter, query.ContainsKey(names) ? names : null, problem);
    }
}
