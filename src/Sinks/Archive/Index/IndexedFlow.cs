namespace ConntrackStream.Sinks.Archive.Index;

/// <summary>What an index knows of a flow in one segment of a log.</summary>
/// <param name="From">Seconds since the Unix epoch, rounded down: it did not begin earlier. Null: that is unknown.</param>
/// <param name="To">Rounded up: it ended, and not later. Null: the segment has no end of it.</param>
/// <param name="IsStrange">
/// Its records do not agree with each other, or are not a start, updates and an end in this order: all that is known is where they are.
/// </param>
/// <param name="IsBegun">The segment has its start.</param>
internal readonly record struct IndexedFlow(IndexedId Id, long? From, long? To, bool IsStrange, bool IsBegun)
{
    /// <summary>Where its lines begin, in the content of the file.</summary>
    internal required long[] Lines { get; init; }
}

/// <summary>A line that is handed out whatever the question is, if its text fits: a gap, or what is no record.</summary>
/// <param name="At">Where it begins, in the content of the file.</param>
internal sealed record OddLine(long At, byte[] Text);
