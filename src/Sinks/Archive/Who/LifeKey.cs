namespace ConntrackStream.Sinks.Archive.Who;

/// <summary>Ids of flows are unique by themselves; host and namespace are kept for what a broken clone of a machine writes.</summary>
internal readonly record struct LifeKey(string? Host, string? NetworkNamespace, Guid Id)
{
    /// <summary>In the format text, whose ids come again (<see cref="TextFlowId"/>): which of the flows with the id it is.</summary>
    internal LifePart? Part { get; init; }
}

/// <summary>A life in one part of a log.</summary>
/// <param name="Log">Index of the log.</param>
/// <param name="Unit">Index of the part of the log.</param>
/// <param name="Number">Grows in the part.</param>
internal readonly record struct LifePart(int Log, int Unit, int Number);
