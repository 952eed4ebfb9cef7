namespace ConntrackStream.Sinks.Archive.Who;

/// <summary>One reason why an answer is not complete.</summary>
/// <param name="Reason">That of a gap, or log_begins, log_ends, unreadable, no_log, too_many_flows, not_synced.</param>
/// <param name="Where">The log or file.</param>
/// <param name="Detail">In words.</param>
internal sealed record Missing(string Reason, string? Where, string Detail)
{
    internal string? Host { get; init; }

    /// <summary>Of a gap: null when it is not known.</summary>
    internal long? Lost { get; init; }

    /// <summary>ns since the Unix epoch; 0 = unknown, or not a matter of time.</summary>
    internal long From { get; init; }

    internal long To { get; init; }
}
