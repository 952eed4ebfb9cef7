using System.IO.Compression;

namespace ConntrackStream.Sinks.MapCleaning.NpaLog;

/// <summary>Opens logs, as they are or rotated: both the agent and this service compress with gzip and add <c>.gz</c>.</summary>
/// <param name="openInput">Opens standard input.</param>
internal sealed class LogFiles(Func<Stream> openInput)
{
    internal const string StandardInput = "-";

    /// <summary>Opens a log and hands it over to be read.</summary>
    /// <exception cref="IOException">It cannot be opened or read, or is no whole gzip.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    internal async Task ReadAsync(string path, Func<Stream, Task> read)
    {
        await using Stream stream = Open(path);
        try
        {
            await read(stream).ConfigureAwait(false);
        }
        catch (InvalidDataException e)
        {
            throw new IOException($"reading {path}: {e.Message} zcat {path} gives what can be saved of it", e);
        }
    }

    /// <summary>Rotated files of a flow log, the oldest first: flows are followed from their start to their end.</summary>
    internal async Task<IReadOnlyList<string>> InOrderAsync(string[] paths, CancellationToken cancellation)
    {
        List<(string Path, long Time)> timed = [];
        foreach (string path in paths.Distinct(StringComparer.Ordinal))
        {
            long time = 0;
            if (paths.Length > 1)
                await ReadAsync(path, async stream => time = await FlowLogReader.FirstTimeAsync(stream, cancellation).ConfigureAwait(false))
                    .ConfigureAwait(false);
            timed.Add((path, time));
        }

        return [.. timed.OrderBy(static file => file.Time).Select(static file => file.Path)];
    }

    private Stream Open(string path)
    {
        if (path == StandardInput)
            return openInput();
        if (Directory.Exists(path))
            throw new IOException($"reading {path}: EISDIR: it is a directory; name a log file in it");
        FileStream file = File.OpenRead(path);
        return path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? new GZipStream(file, CompressionMode.Decompress) : file;
    }
}
