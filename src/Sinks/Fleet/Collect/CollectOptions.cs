using ConntrackStream.Sinks.FlowLog;

namespace ConntrackStream.Sinks.Fleet.Collect;

/// <summary>What one collector does.</summary>
internal sealed record CollectOptions
{
    /// <summary>Under which the engine keeps how far was collected: collectors of one name share the work.</summary>
    internal string Name { get; init; } = "collect";

    /// <summary>For the files, one for each host.</summary>
    internal required string Directory { get; init; }

    /// <summary>When a file is rotated.</summary>
    internal RotationOptions Rotation { get; init; } = new();

    /// <summary>Which part of the hosts is its own, from 1.</summary>
    internal int Part { get; init; } = 1;

    /// <summary>Into how many parts the hosts are divided: 1, 2, 4, 8 or 16.</summary>
    internal int Parts { get; init; } = 1;

    /// <summary>End when nothing is left to be read.</summary>
    internal bool Once { get; init; }

    /// <summary>How long records that are missing are waited for; longer than a message takes to be delivered again.</summary>
    internal TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);
}
