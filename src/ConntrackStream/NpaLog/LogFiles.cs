using System.IO.Compression;
using ConntrackStream.Service.Cli;

namespace ConntrackStream.Service.NpaLog;

/// <summary>Opens logs, as they are or rotated: both the agent and this service compress with gzip and add <c>.gz</c>.</summary>
internal static class LogFiles
{
    internal const string StandardInput = "-";

    /// <summary>Opens a log and hands it over to be read.</summary>
    /// <exception cref="IOException">It cannot be opened or read, or is no whole gzip.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    internal static async Task ReadAsync(string path, CliContext context, Func<Stream, Task> read)
    {
        await using Stream stream = Open(path, context);
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
    internal static async Task<IReadOnlyList<string>> InOrderAsync(string[] paths, CliContext context, CancellationToken cancellation)
    {
        List<(string Path, long Time)> timed = [];
        foreach (string path in paths.Distinct(StringComparer.Ordinal))
        {
            long time = 0;
            if (paths.Length > 1)
                await ReadAsync(
                    path, context, async stream => time = await FlowLogReader.FirstTimeAsync(stream, cancellation).ConfigureAwait(false))
                    .ConfigureAwait(false);
            timed.Add((path, time));
        }

        return [.. timed.OrderBy(static file => file.Time).Select(static file => file.Path)];
    }

    private static Stream Open(string path, CliContext context)
    {
        if (path == StandardInput)
            return context.OpenInput();
        if (Directory.Exists(path))
            throw new IOException($"reading {path}: EISDIR: it is a directory; name a log file in it");
        FileStream file = File.OpenRead(path);
        return path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? new GZipStream(file, CompressionMode.Decompress) : file;
    }
}
