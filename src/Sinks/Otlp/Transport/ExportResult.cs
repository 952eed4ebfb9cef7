namespace ConntrackStream.Sinks.Otlp.Transport;

/// <summary>What became of an attempt to send a request.</summary>
internal enum ExportOutcome
{
    /// <summary>The collector has it.</summary>
    Accepted,

    /// <summary>It may be sent again, later.</summary>
    Retry,

    /// <summary>The collector will not take it: https://opentelemetry.io/docs/specs/otlp/ forbids to send it again.</summary>
    Refused,
}

/// <inheritdoc cref="ExportOutcome"/>
/// <param name="Reason">Of a failure; of an acceptance, what the collector has to say about it, or null.</param>
/// <param name="After">When to send it again, if the collector says so.</param>
/// <param name="Rejected">Records that it did not take of a request that it accepted.</param>
internal sealed record ExportResult(ExportOutcome Outcome, string? Reason = null, TimeSpan? After = null, long Rejected = 0)
{
    /// <summary>The reason, for a sentence.</summary>
    internal string Words => Reason?.TrimEnd('.') ?? "no reason given";

    internal static ExportResult Retry(string reason, TimeSpan? after = null) => new(ExportOutcome.Retry, reason, after);

    internal static ExportResult Refused(string reason) => new(ExportOutcome.Refused, reason);

    /// <summary>By the answer, which may report a partial success.</summary>
    /// <param name="message">ExportLogsServiceResponse, or that of metrics: they have the same numbers.</param>
    internal static ExportResult Accepted(ReadOnlySpan<byte> message)
    {
        (long rejected, string? text) = Answers.PartialSuccess(message);
        return new ExportResult(ExportOutcome.Accepted, text, Rejected: rejected);
    }
}
