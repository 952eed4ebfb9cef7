using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Pipeline.Files;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Sinks.Files;

namespace ConntrackStream.Sinks.Fleet;

/// <summary>Files that an engine's options name: passwords, keys, certificates.</summary>
internal static class FleetSecrets
{
    private const UnixFileMode ReadableByOthers = UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <param name="files">By their keys; null for those that are not configured.</param>
    /// <exception cref="ConfigurationException">One cannot be opened, or others could write it; with each such.</exception>
    internal static void Check(IEnumerable<KeyValuePair<string, string?>> files)
    {
        string[] faults =
        [
            .. files.Where(static file => file.Value is not null)
                .Select(static file => (file, Problem: RootOwned.Problem(file.Value!)))
                .Where(static checkedFile => checkedFile.Problem is not null)
                .Select(static wrong => $"{wrong.file.Key}: {wrong.file.Value} {wrong.Problem}"),
        ];
        if (faults.Length > 0)
            throw new ConfigurationException(faults);
    }

    /// <exception cref="ConfigurationException">It is empty, or cannot be used.</exception>
    internal static string Read(string key, string path)
    {
        try
        {
            string content = SecretFile.Content(path);
            return content.Length > 0 ? content : throw new UnusableFileException($"{path} is empty");
        }
        catch (UnusableFileException e)
        {
            throw new ConfigurationException([$"{key}: {e.Message}"]);
        }
    }

    /// <summary>Lines of <c>doctor</c> about secrets that others can read.</summary>
    internal static IEnumerable<CheckResult> Warnings(string name, IEnumerable<string?> files)
    {
        foreach (string? file in files)
        {
            if (file is not null && FileStat.TryRead(file, out FileStat stat)
                && ((UnixFileMode)stat.Mode & ReadableByOthers) != UnixFileMode.None)
                yield return CheckResult.Warn(name, $"{file} can be read by other users", $"chmod 600 {file}");
        }
    }
}
