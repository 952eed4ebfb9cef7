using System.Globalization;
using ConntrackStream.Service.Api.Problems;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace ConntrackStream.Service.Api;

/// <summary>What is wrong with a query string.</summary>
/// <param name="Parameter">Which one; null where several are wrong.</param>
/// <param name="Detail">Names it, and what is allowed.</param>
internal sealed record QueryFault(ProblemType Type, string? Parameter, string Detail)
{
    internal Task AnswerAsync(HttpContext context) => context.RefuseAsync(Type, Detail, Parameter);

    /// <summary>The value of a parameter is not what is allowed.</summary>
    /// <param name="value">null: there is none, and one is needed.</param>
    internal static QueryFault Bad(string parameter, string? value, string allowed) => new(
        ProblemType.BadParameter,
        parameter,
        value is null ? $"{parameter}: is missing; give {allowed}" : $"{parameter}: '{value}' is not {allowed}");

    internal static QueryFault Unknown(string parameter, IEnumerable<string> known) =>
        new(ProblemType.BadParameter, parameter, $"{parameter}: no such parameter; there are {string.Join(", ", known)}");

    /// <summary>A parameter for one value that is given several, of which one would count; null if it is not.</summary>
    internal static QueryFault? Repeated(string parameter, StringValues values) =>
        Repeated(parameter, values, ProblemType.BadParameter, value: null);

    /// <inheritdoc cref="Repeated(string, StringValues)"/>
    /// <param name="value">What its value is called.</param>
    internal static QueryFault? Repeated(string parameter, StringValues values, ProblemType type, string? value)
    {
        if (values.Count <= 1)
            return null;
        string how = value is null ? "" : $", as {parameter}={value}";
        return new QueryFault(
            type, parameter, string.Create(CultureInfo.InvariantCulture, $"{parameter}: given {values.Count} times; give it once{how}"));
    }

    /// <summary>The first parameter that is given several times; null if none is.</summary>
    internal static QueryFault? Repeated(IQueryCollection query) =>
        query.Select(static one => Repeated(one.Key, one.Value)).FirstOrDefault(static fault => fault is not null);

    /// <summary>All that is wrong with a filter; null: nothing.</summary>
    internal static QueryFault? Of(IReadOnlyList<QueryFault> faults) => faults.Count switch
    {
        0 => null,
        1 => faults[0],
        _ => new QueryFault(ProblemType.BadFilter, Parameter: null, string.Join("; ", faults.Select(static fault => fault.Detail))),
    };
}
