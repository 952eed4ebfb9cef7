namespace ConntrackStream.Sinks.Reclassify.Paths;

/// <summary>How an interface is.</summary>
/// <param name="Index">Its index; 0 when there is none of that name.</param>
/// <param name="IsUp">IFF_UP: it is wanted up.</param>
/// <param name="IsRunning">IFF_RUNNING: its operational state is up, or unknown as for drivers that tell
/// none; false without a carrier.</param>
public readonly record struct LinkAnswer(int Index, bool IsUp, bool IsRunning)
{
    public bool Exists => Index != 0;

    /// <summary>Why it carries no packets, as the end of the sentence "NAME …"; null when it does.</summary>
    public string? Problem => !Exists ? "does not exist" : !IsUp ? "is down" : !IsRunning ? "is up, but has no carrier" : null;
}
