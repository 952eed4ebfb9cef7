namespace ConntrackStream.Sinks.MapCleaning.Absence;

/// <summary>What was learnt of a map and must outlive the process.</summary>
/// <param name="MapId">The map it is about: the kernel never gives its id to another one in the same boot.</param>
/// <param name="Groups">The groups of keys that have matched a flow.</param>
public sealed record MapMemory(uint MapId, MatchedGroups Groups);

/// <summary>
/// Groups of keys that have matched a flow, as hashes; the secret goes with them, so it belongs in no file that others can read.
/// </summary>
public sealed record MatchedGroups(ulong SecretA, ulong SecretB, IReadOnlyCollection<ulong> Hashes)
{
    /// <summary>More are not kept: the oldest are left out.</summary>
    public const int MostGroups = 1 << 17;
}
