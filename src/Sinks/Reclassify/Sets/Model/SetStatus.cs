namespace ConntrackStream.Sinks.Reclassify.Sets.Model;

/// <summary>How the mirror of a set is.</summary>
public enum SetState
{
    /// <summary>The set does not exist; it is waited for.</summary>
    Waiting,

    /// <summary>Read, and kept up with.</summary>
    Ready,

    /// <summary>Flows cannot be looked up in a set of its type, or with the rule's directions.</summary>
    CannotMatch,

    /// <summary>The last reading failed; what was read before stands, and it is tried again.</summary>
    Failed,
}

/// <summary>A rule and its set, for people.</summary>
/// <param name="Rule">The rule's text.</param>
/// <param name="Type">Such as <c>hash:ip,port</c> or <c>ipv4_addr . inet_service</c>; null while it is not known.</param>
/// <param name="Members">How many are mirrored.</param>
/// <param name="LastReadTook">Null before the first complete reading.</param>
/// <param name="Problem">Why it does not match, or is not up to date; null when ready.</param>
public sealed record SetStatus(
    string Rule, string? Type, int Members, SetState State, TimeSpan? LastReadTook, string? Problem);
