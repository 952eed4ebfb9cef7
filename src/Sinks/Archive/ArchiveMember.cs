namespace ConntrackStream.Sinks.Archive;

/// <summary>A file of a log, and what its beginning shows.</summary>
internal sealed record ArchiveMember(ArchiveFile File, FileHead Head)
{
    internal long? FirstTime => Head.FirstTime;
}

/// <summary>The files of one log that were found, the oldest first.</summary>
/// <param name="Name">Path of the log: see <see cref="LogName"/>.</param>
internal sealed record ArchiveLog(string Name, IReadOnlyList<ArchiveMember> Members);
