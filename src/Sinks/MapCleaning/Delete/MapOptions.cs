using ConntrackStream.Sinks.MapCleaning.Absence;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.MapCleaning.Delete;

/// <summary>What becomes of entries whose flow is gone.</summary>
public enum MapMode : byte
{
    /// <summary>Nothing: what would be deleted is logged and counted, and the map is opened read-only.</summary>
    Observe,

    /// <summary>They are deleted.</summary>
    Delete,
}

/// <summary>How an eBPF map is kept clean.</summary>
public sealed record MapOptions
{
    /// <summary>Opens the map, for deleting if <see cref="Mode"/> says so. Called again while it fails.</summary>
    public required Func<IFlowMap> Open { get; init; }

    public MapMode Mode { get; init; }

    /// <summary>Between the nomination of a key and its deletion. A key first missed less than this ago is not nominated either.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long a deleted entry can be put back: a packet between the agent's hook and its confirmation shows in no check.
    /// </summary>
    public TimeSpan ArmedWindow { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long a peer of an open TCP connection may pause after the kernel's timer has run out, and still send. RFC 5382, REQ-5.
    /// </summary>
    public TimeSpan TcpPatience { get; init; } = new(2, 4, 0);

    /// <summary>
    /// The same for UDP and protocols without states; the kernel's own timeout for them where that is longer. RFC 4787, REQ-5.
    /// </summary>
    public TimeSpan UdpPatience { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Entries deleted between two audits of the map at most, and keys tombstoned at one time.</summary>
    public int MaxDeletesPerCycle { get; init; } = 65536;

    /// <summary>
    /// Keys of one protocol, destination and port, none of which ever matched a flow, from which on they
    /// are taken for traffic under NOTRACK.
    /// </summary>
    public int UntrackedGroupSize { get; init; } = 64;

    /// <summary>
    /// Called with each decision, one after another, on a task of its own: what it cannot take in time is left out. Null = nobody asks.
    /// </summary>
    public Action<MapOutcome>? OnOutcome { get; init; }

    /// <summary>What an earlier run had learnt; null = nothing.</summary>
    public MapMemory? Earlier { get; init; }

    /// <summary>
    /// Called on the loop, which it must not hold up, with what is known after each audit that counts; null = it is not kept.
    /// </summary>
    public Action<MapMemory>? OnLearnt { get; init; }

    /// <summary>Keeps each change of the map; null for none.</summary>
    public IMapEvidence? Evidence { get; init; }
}
