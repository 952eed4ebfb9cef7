using System.CommandLine;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.Service.Cli;
using Microsoft.AspNetCore.Http;

namespace ConntrackStream.Service.Api;

/// <summary>
/// A filter from a query string: the command line's own long options as parameters (<c>?proto=tcp&amp;dport=443</c>), parsed by the same
/// code.
/// </summary>
internal static class FilterQuery
{
    private static readonly string[] Names =
        [.. new FilterOptions().All.SelectMany(static option => option.Aliases.Prepend(option.Name))
            .Where(static name => name.StartsWith("--", StringComparison.Ordinal)).Select(static name => name[2..])
            .Where(static name => FilterOptions.QueryName(name) == name)];

    internal static bool TryParse(
        IQueryCollection query, IReadOnlyCollection<string> otherParameters, out FlowFilter filter, out QueryFault? fault)
    {
        FilterOptions options = new();
        Command command = new("query");
        command.Add(options.All);
        filter = FlowFilter.All;
        List<string> arguments = [];
        foreach ((string name, Microsoft.Extensions.Primitives.StringValues values) in query)
        {
            if (otherParameters.Contains(name, StringComparer.Ordinal))
                continue;
            if (!Names.Contains(name, StringComparer.Ordinal))
            {
                fault = QueryFault.Unknown(
                    name, [.. otherParameters, .. options.All.Select(static option => FilterOptions.QueryName(option.Name[2..]))]);
                return false;
            }

            arguments.AddRange(values.Select(value => $"--{name}={value}"));
        }

        ParseResult parsed = command.Parse(arguments, UsageFaults.Parser);
        string[] faults =
            [.. parsed.Errors.Select(static error => error.Message).Concat(UsageFaults.Repeated(parsed)).Distinct(StringComparer.Ordinal)];
        fault = faults.Length == 0 ? null : QueryFault.OfFilter(faults);
        if (fault is null)
            filter = options.Read(parsed);
        return fault is null;
    }
}
