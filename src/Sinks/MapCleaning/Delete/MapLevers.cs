using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.MapCleaning.Delete;

/// <summary>Guards of map cleaning that a negative control takes away, and a hook for tests. The service has the defaults.</summary>
internal sealed record MapLevers
{
    /// <summary>False lets each end and each second miss nominate, whatever it may mean; also for tests of what comes after.</summary>
    public bool WeighsEnds { get; init; } = true;

    /// <summary>False counts misses on although a packet has used the key in between.</summary>
    public bool CountsFromUse { get; init; } = true;

    /// <summary>False takes the check after the deletion away.</summary>
    public bool ChecksAgain { get; init; } = true;

    /// <summary>False takes the second check and the armed window away: what was taken stays taken.</summary>
    public bool Restores { get; init; } = true;

    /// <summary>Called on the loop before each step, so that a test can act in between.</summary>
    public Action<DeleteStep, MapKey>? Before { get; init; }
}

/// <summary>The steps of one deletion.</summary>
internal enum DeleteStep : byte
{
    /// <summary>Ask the kernel whether any flow has the key.</summary>
    Authorise,

    /// <summary>Take the entry out of the map.</summary>
    Take,

    /// <summary>Ask the kernel again.</summary>
    CheckAgain,

    /// <summary>The window in which the entry can be put back is over.</summary>
    Disarm,
}
