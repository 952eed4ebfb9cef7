namespace ConntrackStream.Sinks.Archive.Verify;

/// <summary>A line that a log cannot have if its records are whole and true.</summary>
/// <param name="Line">From 1, of the uncompressed content; 0 for the file as a whole.</param>
/// <param name="Rule">One of: record, id_twice, second_end, after_end, incarnation, counters, no_start, sequence, gap, file.</param>
internal sealed record Violation(string Path, long Line, string Rule, string Detail);
