namespace ConntrackStream.Sinks.MapCleaning.NpaLog;

/// <summary>
/// What a line of the agent's log says of its conntrack cleanup (aws-network-policy-agent, pkg/ebpf/conntrack/conntrack_client.go).
/// </summary>
internal enum NpaLineKind : byte
{
    /// <summary>Nothing.</summary>
    Unrelated,

    /// <summary>It cannot be read: no whole JSON object, or longer than the bound.</summary>
    Malformed,

    /// <summary>
    /// It has both words, in a form that is not known here (or it is the flag's value): counted, never taken for a cycle.
    /// </summary>
    Mention,

    /// <summary>"Check for any stale entries in the conntrack map"; in 2023 also "Start cleanup of conntrack map".</summary>
    Start,

    /// <summary>"hydrated local conntrack cache": the map was copied, nothing deleted.</summary>
    Hydrated,

    /// <summary>"Conntrack cleanup" with "Entry - ", up to April 2024: an entry to be deleted later in the same run.</summary>
    Nominated,

    /// <summary>"Conntrack cleanup Delete - …": written just before the delete.</summary>
    Delete,

    /// <summary>
    /// "Done cleanup of conntrack map", in a change proposed in July 2026 with ": deleted N stale entries out of M tracked".
    /// </summary>
    Done,

    /// <summary>"Failed to get mapInfo for conntrack pinpath" or "Failed to read from conntrack table": the run ends there.</summary>
    Failed,
}

/// <summary>One line of the agent's log.</summary>
/// <param name="Time">When it was written; null when the line does not tell.</param>
/// <param name="Key">Of a delete; null when it cannot be read.</param>
/// <param name="Deleted">Of <see cref="NpaLineKind.Done"/>: how many it says it deleted.</param>
/// <param name="Tracked">Of <see cref="NpaLineKind.Done"/>: out of how many.</param>
internal readonly record struct NpaLine(
    NpaLineKind Kind, AgentTime? Time = null, NpaKey? Key = null, long? Deleted = null, long? Tracked = null);
