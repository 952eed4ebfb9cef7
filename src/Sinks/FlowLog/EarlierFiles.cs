using ConntrackStream.Pipeline.Files;
using ConntrackStream.Sinks.Files;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>
/// What rotation has left beside a log that is empty, new or lost: the log goes as far, and whatever was written later went with the file
/// that it was in.
/// </summary>
internal static class EarlierFiles
{
    /// <returns>
    /// The time of the latest record in the file that was written last, else of the last write, ns since the Unix epoch; null when there is
    /// none that can be read and trusted.
    /// </returns>
    internal static long? LastWritten(string path)
    {
        try
        {
            string log = Path.GetFullPath(path);
            using OwnedDirectory directory = OwnedDirectory.Open(Path.GetDirectoryName(log)!);
            return LastWritten(log, directory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // the directory went with the log
        }
    }

    private static long? LastWritten(string log, OwnedDirectory directory)
    {
        long? latest = null, written = null;
        foreach (string file in Directory.EnumerateFiles(directory.Path, $"{Path.GetFileName(log)}*"))
        {
            if (LogName.Of(file) != log || file == log || TimesOf(directory, Path.GetFileName(file)) is not { } times)
                continue;
            if (!(written >= times.Modified))
                (written, latest) = (times.Modified, times.LastTime ?? times.Modified);
        }

        return latest;
    }

    private static (long Modified, long? LastTime)? TimesOf(OwnedDirectory directory, string name)
    {
        try
        {
            using SafeFileHandle? file = directory.TryOpenOutput(name);
            if (file is null || !FileStat.TryRead(file, out FileStat stat) || stat.Size == 0)
                return null;
            bool isPlain = CompressionMagic.Of(file) == Compression.None;
            return (stat.Modified, isPlain ? LogTail.Read(file, (long)stat.Size).LastTime : null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // not to be trusted, or gone
        }
    }
}
