namespace ConntrackStream.Sinks.Fleet;

/// <summary>What became of one message.</summary>
internal enum SendOutcome
{
    /// <summary>The stream has it.</summary>
    Stored,

    /// <summary>The stream had it already, which is as good.</summary>
    Duplicate,

    /// <summary>The server said no: a full stream, for one.</summary>
    Refused,

    /// <summary>Nothing was heard: it may be stored or not, so it is sent again under the same id.</summary>
    Unanswered,
}

/// <param name="Reason">Where it is not stored: why.</param>
internal readonly record struct SendResult(SendOutcome Outcome, string? Reason = null)
{
    internal bool IsStored => Outcome is SendOutcome.Stored or SendOutcome.Duplicate;
}
