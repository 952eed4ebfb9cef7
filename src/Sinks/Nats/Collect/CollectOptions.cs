using ConntrackStream.Sinks.FlowLog;

namespace ConntrackStream.Sinks.Nats.Collect;

/// <summary>What one collector does.</summary>
internal sealed record CollectOptions
{
    /// <summary>Of the stream's durable consumers, one for each sixteenth of the hosts: NAME-0 to NAME-f.</summary>
    internal string Name { get; init; } = "collect";

    /// <summary>For the files, one for each host.</summary>
    internal required string Directory { get; init; }

    /// <summary>When a file is rotated.</summary>
    internal RotationOptions Rotation { get; init; } = new();

    /// <summary>Which of the sixteenths are its own.</summary>
    internal required IReadOnlyList<char> Shares { get; init; }

    /// <summary>End when nothing is left to be read.</summary>
    internal bool Once { get; init; }

    /// <summary>How long records that are missing are waited for; longer than a message takes to be delivered again.</summary>
    internal TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>What to make when no stream takes the subjects; null: nothing.</summary>
    internal NewStream? NewStream { get; init; }

    /// <summary>The sixteenths of one of several collectors.</summary>
    /// <param name="part">From 1.</param>
    /// <param name="parts">A divisor of 16.</param>
    internal static IReadOnlyList<char> SharesOf(int part, int parts) =>
        [.. "0123456789abcdef".Where((_, index) => index % parts == part - 1)];
}

/// <summary>A stream with file storage.</summary>
/// <param name="MaxAge">Zero: no limit.</param>
/// <param name="MaxBytes">-1: no limit.</param>
internal sealed record NewStream(string Name, int Replicas, TimeSpan MaxAge, long MaxBytes);
