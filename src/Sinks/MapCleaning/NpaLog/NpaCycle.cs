namespace ConntrackStream.Sinks.MapCleaning.NpaLog;

/// <summary>What a run of the agent's cleaner did.</summary>
internal enum NpaCycleKind : byte
{
    /// <summary>Its end is not in the log: it runs still, the agent ended, or lines are missing.</summary>
    Unfinished,

    /// <summary>
    /// It logged its first line only, as a run does that finds the map empty (CleanupConntrackMap returns where the first key cannot be
    /// read).
    /// </summary>
    Idle,

    /// <summary>It copied the map; deletes nothing.</summary>
    Hydrated,

    /// <summary>It compared the copy with the kernel's table and deleted what that did not have.</summary>
    Cleaned,

    /// <summary>It could not read the map or the kernel's table.</summary>
    Failed,
}

/// <summary>One run of the agent's cleaner.</summary>
internal sealed class NpaCycle
{
    /// <summary>ns since the Unix epoch; null when the log begins after it, or its lines have no time.</summary>
    internal long? Start { get; init; }

    internal long? End { get; set; }

    /// <summary>Time of the first of its lines that has one, ns since the Unix epoch.</summary>
    internal long? FirstSeen { get; set; }

    internal NpaCycleKind Kind { get; set; }

    /// <summary>None but its first line has come so far.</summary>
    internal bool HasFirstLineOnly { get; set; }

    /// <summary>Delete lines, which an agent may write at debug level only.</summary>
    internal long LoggedDeletes { get; set; }

    /// <summary>What its last line says; null where it does not.</summary>
    internal long? ReportedDeletes { get; set; }

    /// <summary>Entries it compared; null where its last line does not say.</summary>
    internal long? Tracked { get; set; }

    internal long Deletes => ReportedDeletes ?? LoggedDeletes;

    /// <summary>ns; null when either end is unknown or the clock was set back.</summary>
    internal long? Duration => End - Start is { } duration and >= 0 ? duration : null;
}
