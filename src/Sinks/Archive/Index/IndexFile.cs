using ConntrackStream.Pipeline.Files;
using ConntrackStream.Sinks.Files;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Sinks.Archive.Index;

/// <summary>
/// The file beside a log's file that has its index: <c>.flows.ndjson.20260203T040506789Z.gz.idx</c>. Hidden, so that patterns as
/// <c>flows.ndjson*</c>, of shells and of programs that read logs, pass over it.
/// </summary>
internal static class IndexFile
{
    /// <summary>Of an index that is being made; between the two stands the process's id.</summary>
    internal const string Unfinished = ".tmp";

    internal static string NameOf(string path) =>
        Path.Join(Path.GetDirectoryName(path), $".{Path.GetFileName(path)}{LogName.IndexSuffix}");

    /// <summary>
    /// Opens an index to read. It decides which lines are read, so it must be as trustworthy as the log: of root, of the user who asks or
    /// of the log's owner, and not writable for all.
    /// </summary>
    internal static SafeFileHandle? TryOpen(ArchiveFile file)
    {
        if (ArchiveFile.TryOpen(NameOf(file.Path), followLinks: false, out _) is not { } opened)
            return null;
        if (FileStat.TryRead(opened.Handle, out FileStat stat) && IsTrusted(stat, file))
            return opened.Handle;
        opened.Dispose();
        return null;
    }

    private static bool IsTrusted(in FileStat index, ArchiveFile file)
    {
        const UnixFileMode WritableByAll = UnixFileMode.OtherWrite;
        return index.Links == 1 && ((UnixFileMode)index.Mode & WritableByAll) == UnixFileMode.None
            && (index.UserId == 0 || index.UserId == FileTrust.OwnUser || index.UserId == file.Owner);
    }

    /// <summary>
    /// Makes the index of a file that is complete, in place of one that is there. It gets its name when it is whole and on the disk.
    /// </summary>
    /// <returns>False: no index can be made of it.</returns>
    /// <exception cref="IOException">The directory cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">Not allowed.</exception>
    internal static bool TryWrite(
        OwnedDirectory directory, ArchiveFile file, FileHead head, IndexBuilder builder, CancellationToken cancellation)
    {
        string name = NameOf(Path.GetFileName(file.Path)), temporary = $"{name}.{Environment.ProcessId}{Unfinished}";
        bool isWhole = false;
        try
        {
            using (SafeFileHandle index = directory.Create(temporary, FileModes.Log))
            {
                isWhole = builder.TryBuild(file, head, index, cancellation);
                if (isWhole)
                    RandomAccess.FlushToDisk(index);
            }

            if (isWhole)
                directory.Rename(temporary, name);
            return isWhole;
        }
        finally
        {
            directory.Delete(temporary);
        }
    }
}
