using ConntrackStream.Service.Api.Problems;
using Microsoft.AspNetCore.Http;

namespace ConntrackStream.Service.Api;

/// <summary>What is wrong with a query string.</summary>
/// <param name="Parameter">Which one; null where several are wrong.</param>
/// <param name="Detail">Names it, and what is allowed.</param>
internal sealed record QueryFault(ProblemType Type, string? Parameter, string Detail)
{
    internal Task AnswerAsync(HttpContext context) => context.RefuseAsync(Type, Detail, Parameter);

    /// <summary>The value of a parameter is not what is allowed.</summary>
    internal static QueryFault Bad(string parameter, string? value, string allowed) =>
        new(ProblemType.BadParameter, parameter, $"{parameter}: '{value}' is not {allowed}");

    internal static QueryFault Unknown(string parameter, IEnumerable<string> known) =>
        new(ProblemType.BadParameter, parameter, $"{parameter}: no such parameter; there are {string.Join(", ", known)}");

    /// <summary>Messages of the command line's parser, which begin with an option's name.</summary>
    internal static QueryFault OfFilter(string[] messages)
    {
        string[] details = [.. messages.Select(static message => message.TrimStart('-'))];
        int colon = details[0].IndexOf(':', StringComparison.Ordinal);
        return new(ProblemType.BadFilter, details.Length == 1 && colon > 0 ? details[0][..colon] : null, string.Join("; ", details));
    }
}
