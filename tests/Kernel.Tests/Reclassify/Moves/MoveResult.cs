using System.Globalization;

namespace ConntrackStream.Kernel.Tests.Reclassify.Moves;

/// <summary>How the connections of a <see cref="MoveRun"/> fared, by their clients' own sockets.</summary>
internal sealed record MoveResult
{
    internal required int Flows { get; init; }

    /// <summary>Reset once, connected again by wan2, and going on.</summary>
    internal required int Moved { get; init; }

    /// <summary>Never reset, and going on.</summary>
    internal required int Stayed { get; init; }

    /// <summary>Reset more than once.</summary>
    internal required int ResetAgain { get; init; }

    /// <summary>Another error than a reset, or not to be connected again.</summary>
    internal required int Failed { get; init; }

    /// <summary>Neither an error nor anything carried.</summary>
    internal required int Hung { get; init; }

    /// <summary>Connections whose server has seen a reset.</summary>
    internal required int ServersReset { get; init; }

    /// <summary>From the move to each client's reset, in ascending order.</summary>
    internal required IReadOnlyList<TimeSpan> Times { get; init; }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Flows} | {Moved} | {Stayed} | {ResetAgain} | {Failed} | {Hung} | {ServersReset} | {Time(0.5)} | {Time(1)}");

    private string Time(double share) =>
        Times.Count == 0 ? "" : Times[(int)((Times.Count - 1) * share)].TotalSeconds.ToString("f2", CultureInfo.InvariantCulture);
}
