using ConntrackStream.Pipeline.Files;
using ConntrackStream.Sinks.Files;
using ConntrackStream.Sinks.FlowLog;

namespace ConntrackStream.Sinks.Archive.Index;

/// <summary>Makes the indexes that are missing, damaged or of an earlier file: when files are rotated, and behind a question.</summary>
/// <param name="leastLength">Of a file, bytes. A shorter one is read through as quickly.</param>
internal sealed class IndexMaker(long leastLength = IndexMaker.LeastLength) : IFileIndexer
{
    internal const long LeastLength = 256 * 1024;

    /// <inheritdoc/>
    public bool IsIndex(string name) =>
        name.EndsWith(LogName.IndexSuffix, StringComparison.Ordinal)
        || (name.EndsWith(IndexFile.Unfinished, StringComparison.Ordinal)
            && name.Contains($"{LogName.IndexSuffix}.", StringComparison.Ordinal));

    /// <inheritdoc/>
    public string IndexOf(string name) => IndexFile.NameOf(name);

    /// <inheritdoc/>
    public void Index(OwnedDirectory directory, string name, CancellationToken cancellation)
    {
        using ArchiveFile? file = ArchiveFile.TryOpen(directory.PathOf(name), followLinks: false, out _);
        if (file is null || file.Length < leastLength)
            return;
        using ArchiveIndex? known = ArchiveIndex.TryOpen(file);
        if (known is null && FileHead.Read(file) is var head && IndexBuilder.CanIndex(head))
            IndexFile.TryWrite(directory, file, head, new IndexBuilder(), cancellation);
    }

    /// <summary>Files of an archive that need one.</summary>
    internal List<ArchiveFile> Missing(ArchiveSet archive) =>
    [
        .. archive.Members.Where(member => (member.Index is null || member.IsIndexDamaged) && member.File.Length >= leastLength
            && member.File.IsRotated && member.File.IsAtPath && IndexBuilder.CanIndex(member.Head)).Select(static member => member.File),
    ];

    /// <summary>Makes them, one a processor at a time. Where a directory cannot be written there are none.</summary>
    /// <param name="onProgress">Called with the bytes of each file that is done, from several threads.</param>
    /// <returns>How many were made.</returns>
    internal static int Make(IReadOnlyList<ArchiveFile> files, int processors, Action<long>? onProgress, CancellationToken cancellation)
    {
        int made = 0;
        ParallelOptions options = new() { MaxDegreeOfParallelism = processors, CancellationToken = cancellation };
        Parallel.ForEach(files, options, static () => new IndexBuilder(), (file, _, builder) =>
        {
            try
            {
                using OwnedDirectory directory = OwnedDirectory.Open(Path.GetDirectoryName(Path.GetFullPath(file.Path))!);
                if (IndexFile.TryWrite(directory, file, FileHead.Read(file), builder, cancellation))
                    Interlocked.Increment(ref made);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // a read-only file system, another user's directory: the next question reads the file again
            }

            onProgress?.Invoke(file.Length);
            return builder;
        }, static _ => { });
        return made;
    }
}
