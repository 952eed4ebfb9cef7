using ConntrackStream.Service.Cli;
using Microsoft.AspNetCore.Http;

namespace ConntrackStream.Service.Api;

/// <summary>The parameters of <c>/v1/rates</c>, as the command line has them, too.</summary>
internal static class RatesQuery
{
    private const int MostTalkers = 100;

    internal static string AllowedInterval { get; } = "a duration from 100ms to 1h";

    internal static ValueOption.TryParse<TimeSpan> ParseInterval { get; } =
        ValueOption.Duration(TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1));

    internal static string AllowedTop { get; } = $"a number from 0 to {MostTalkers}";

    internal static ValueOption.TryParse<int> ParseTop { get; } = ValueOption.Number(0, MostTalkers);

    /// <summary>What is wrong with the request; null: nothing.</summary>
    internal static QueryFault? Read(IQueryCollection query, out TimeSpan interval, out int top)
    {
        string asked = query["interval"].FirstOrDefault() ?? "1s", count = query["top"].FirstOrDefault() ?? "5";
        top = 0;
        interval = default;
        return QueryFault.Repeated(query) is { } repeated ? repeated
            : !ParseInterval(asked, out interval) ? QueryFault.Bad("interval", asked, AllowedInterval)
            : !ParseTop(count, out top) ? QueryFault.Bad("top", count, AllowedTop)
            : query.Keys.FirstOrDefault(static key => key is not ("interval" or "top")) is { } unknown
                ? QueryFault.Unknown(unknown, ["interval", "top"])
            : null;
    }
}
