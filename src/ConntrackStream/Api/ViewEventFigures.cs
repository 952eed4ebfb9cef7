using ConntrackStream.Pipeline.LiveView;

namespace ConntrackStream.Service.Api;

/// <summary>
/// What became of events that were not simply a start, a change or an end, and what dumps put right; see <see cref="ViewCounters"/>.
/// </summary>
internal sealed record ViewEventFigures
{
    public required long DuplicateNew { get; init; }

    public required long Replaced { get; init; }

    public required long LateDestroy { get; init; }

    public required long UnknownDestroy { get; init; }

    public required long UnknownUpdate { get; init; }

    public required long SeenOnlyAtEnd { get; init; }

    public required long ClashLosers { get; init; }

    public required long ClashEvents { get; init; }

    public required long OtherFamily { get; init; }

    public required long Verified { get; init; }

    public required long DoubtsGivenUp { get; init; }

    public required long Found { get; init; }

    public required long Swept { get; init; }

    public required long DumpOmissions { get; init; }

    internal static ViewEventFigures Of(ViewCounters counters) => new()
    {
        DuplicateNew = counters.DuplicateNew,
        Replaced = counters.Replaced,
        LateDestroy = counters.LateDestroy,
        UnknownDestroy = counters.UnknownDestroy,
        UnknownUpdate = counters.UnknownUpdate,
        SeenOnlyAtEnd = counters.SeenOnlyAtEnd,
        ClashLosers = counters.ClashLosers,
        ClashEvents = counters.ClashEvents,
        OtherFamily = counters.OtherFamily,
        Verified = counters.Verified,
        DoubtsGivenUp = counters.DoubtsGivenUp,
        Found = counters.Found,
        Swept = counters.Swept,
        DumpOmissions = counters.DumpOmissions,
    };
}
