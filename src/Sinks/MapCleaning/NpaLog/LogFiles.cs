using ConntrackStream.Sinks.Archive;
using ConntrackStream.Sinks.Files;

namespace ConntrackStream.Sinks.MapCleaning.NpaLog;

/// <summary>
/// Opens logs, as they are or compressed with gzip or zstd, which their first bytes show. What a directory holds stays open: a file that is
/// rotated meanwhile is read all the same.
/// </summary>
/// <param name="openInput">Opens standard input.</param>
internal sealed class LogFiles(Func<Stream> openInput) : IDisposable
{
    internal const string StandardInput = "-";

    private readonly List<ArchiveSet> _directories = [];

    public void Dispose() => _directories.ForEach(static directory => directory.Dispose());

    /// <summary>Opens a log and hands it over to be read.</summary>
    /// <exception cref="IOException">It cannot be opened or read, or is not whole.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    internal Task ReadAsync(string path, Func<Stream, Task> read) => ReadAsync(new LogFile(path, () => Open(path)), read);

    /// <inheritdoc cref="ReadAsync(string, Func{Stream, Task})"/>
    internal static async Task ReadAsync(LogFile file, Func<Stream, Task> read)
    {
        await using Stream stream = file.Open();
        try
        {
            await read(stream).ConfigureAwait(false);
        }
        catch (ArchiveDamageException e)
        {
            throw new IOException($"reading {file.Path}: it {e.Message}; zcat or zstdcat gives what can be saved of it", e);
        }
    }

    /// <summary>Files of a flow log and those in directories, the oldest first: flows are followed from their start to their end.</summary>
    /// <exception cref="IOException">A file or directory cannot be read.</exception>
    internal async Task<IReadOnlyList<LogFile>> InOrderAsync(string[] paths, CancellationToken cancellation)
    {
        LogFile[] files =
        [
            .. paths.SelectMany(path => Directory.Exists(path) ? InDirectory(path) : [new LogFile(path, () => Open(path))])
                .DistinctBy(static file => Path.GetFullPath(file.Path), StringComparer.Ordinal),
        ];
        List<(LogFile File, long Time)> timed = [];
        foreach (LogFile file in files)
        {
            long time = 0;
            if (files.Length > 1)
                await ReadAsync(file, async stream => time = await FlowLogReader.FirstTimeAsync(stream, cancellation).ConfigureAwait(false))
                    .ConfigureAwait(false);
            timed.Add((file, time));
        }

        return [.. timed.OrderBy(static one => one.Time).Select(static one => one.File)];
    }

    /// <summary>All flow logs in it. One that cannot be read might be the one that shows a living flow.</summary>
    private List<LogFile> InDirectory(string path)
    {
        ArchiveSet set = ArchiveSet.Open([path]);
        _directories.Add(set);
        List<LogFile> files =
            [.. set.Members.Select(static member => new LogFile(member.File.Path, () => new UnpackedStream(member.File.Read())))];
        // Of files that are records, what they lack may not be needed, and reading them shows whether they are whole.
        if (set.Faults.FirstOrDefault(fault => !files.Exists(file => file.Path == fault.Path)) is { } fault)
            throw new IOException($"reading {fault.Path}: it {fault.Problem}");
        return files.Count > 0 ? files : throw new IOException($"reading {path}: no file in this directory is a flow log");
    }

    private Stream Open(string path)
    {
        if (path == StandardInput)
            return openInput();
        if (Directory.Exists(path))
            throw new IOException($"reading {path}: EISDIR: it is a directory; name a log file in it");
        FileStream file = File.OpenRead(path);
        if (!file.CanSeek) // a pipe
            return file;
        Compression compression = CompressionMagic.Of(file.SafeFileHandle);
        return compression == Compression.None
            ? file
            : new UnpackedStream(ArchiveBytes.Open(file.SafeFileHandle, compression, file.Length), file);
    }
}

/// <summary>A log, and how it is opened from its beginning.</summary>
internal sealed record LogFile(string Path, Func<Stream> Open);
