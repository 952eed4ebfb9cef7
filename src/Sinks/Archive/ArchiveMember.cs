using ConntrackStream.Sinks.Files;

namespace ConntrackStream.Sinks.Archive;

/// <summary>A file of a log, and what its beginning shows.</summary>
/// <param name="Index">Of what was not wanted, is not there or is of another file: null.</param>
internal sealed record ArchiveMember(ArchiveFile File, FileHead Head, IFileIndex? Index) : IDisposable
{
    /// <summary>What was read of the index is damaged: it is to be made again.</summary>
    internal bool IsIndexDamaged { get; set; }

    internal long? FirstTime => Head.FirstTime;

    public void Dispose()
    {
        Index?.Dispose();
        File.Dispose();
    }
}

/// <summary>The files of one log that were found, the oldest first.</summary>
/// <param name="Name">Path of the log: see <see cref="LogName"/>.</param>
internal sealed record ArchiveLog(string Name, IReadOnlyList<ArchiveMember> Members);
