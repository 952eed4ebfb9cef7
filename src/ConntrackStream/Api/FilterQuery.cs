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
    internal static bool TryParse(
        IQueryCollection query, IReadOnlyCollection<string> otherParameters, out FlowFilter filter, out string error)
    {
        FilterOptions options = new();
        Command command = new("query");
        command.Add(options.All);
        List<string> arguments = [];
        foreach ((string name, Microsoft.Extensions.Primitives.StringValues values) in query)
        {
            if (!otherParameters.Contains(name, StringComparer.Ordinal))
                arguments.AddRange(values.Select(value => $"--{name}={value}"));
        }

        ParseResult parsed = command.Parse(arguments, UsageFaults.Parser);
        IEnumerable<string> faults = parsed.Errors.Select(static fault => fault.Message).Concat(UsageFaults.Repeated(parsed));
        error = string.Join("; ", faults.Distinct(StringComparer.Ordinal));
        filter = error.Length == 0 ? options.Read(parsed) : FlowFilter.All;
        return error.Length == 0;
    }
}
