namespace ConntrackStream.Sinks.Reclassify.Classify;

/// <summary>A classifier's answer.</summary>
/// <param name="Path">Name of the path the flow should take; only with <see cref="VerdictKind.Path"/>.</param>
/// <param name="Reason">Short, for people, such as <c>ipset app_1.v4</c>; the same object each time where it
/// can be, since flows are many.</param>
/// <param name="ValidFor">How long the answer stands if nothing is heard until then; null: until
/// <see cref="IClassifierHost.Reconsider"/>.</param>
public readonly record struct Verdict(VerdictKind Kind, string? Path = null, string? Reason = null, TimeSpan? ValidFor = null)
{
    /// <summary>
    /// What of the configuration answered: the set, the rule, the external program. Null with a classifier of one's
    /// own: its reasons may be without number.
    /// </summary>
    internal string? Origin { get; init; }

    /// <summary>No opinion.</summary>
    public static Verdict None => default;

    /// <summary>Leave the flow where it is, whatever others say.</summary>
    public static Verdict Keep(string reason) => new(VerdictKind.Keep, Reason: reason);

    /// <summary>The flow belongs on this path.</summary>
    public static Verdict To(string path, string reason, TimeSpan? validFor = null) => new(VerdictKind.Path, path, reason, validFor);
}

/// <summary>Kinds of answers.</summary>
public enum VerdictKind : byte
{
    /// <summary>No opinion: the next classifier is asked.</summary>
    None,

    /// <summary>The flow stays where it is; no other classifier is asked.</summary>
    Keep,

    /// <summary>The flow belongs on <see cref="Verdict.Path"/>.</summary>
    Path,

    /// <summary>Not known yet: <see cref="IClassifierHost.Answer"/> will tell. Until then the flow stays where it is.</summary>
    Pending,
}
