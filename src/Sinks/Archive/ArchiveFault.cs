namespace ConntrackStream.Sinks.Archive;

/// <summary>A file, or a part of it, that could not be read.</summary>
/// <param name="Problem">The end of the sentence "FILE …".</param>
internal sealed record ArchiveFault(string Path, string Problem);
