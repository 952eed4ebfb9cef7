using System.Text.RegularExpressions;

namespace ConntrackStream.Sinks.Files;

/// <summary>
/// Which log a file belongs to: its path without what rotation and compression added. <c>flows.ndjson.20260203T040506789Z.gz</c> (this
/// service), <c>flows.ndjson.2.gz</c> and <c>flows.ndjson-20260203.zst</c> (logrotate) all belong to <c>flows.ndjson</c>.
/// </summary>
internal static partial class LogName
{
    /// <summary>Of the file beside a rotated file that has its index.</summary>
    internal const string IndexSuffix = ".idx";

    internal static string Of(string path)
    {
        string name = Compressed().Replace(Path.GetFileName(path), "");
        return Path.Join(Path.GetDirectoryName(Path.GetFullPath(path)), Rotated().Replace(name, ""));
    }

    /// <summary>Without what compression added.</summary>
    internal static string WithoutCompression(string path) => Compressed().Replace(path, "");

    /// <summary>logrotate renames empty logs, too; the service does not, and what compression makes has a head.</summary>
    internal static bool IsNeverEmpty(string path) => Compressed().IsMatch(path) || IsRotatedByService(path);

    internal static bool IsRotatedByService(string path) => ServiceStamp().IsMatch(WithoutCompression(path));

    [GeneratedRegex(@"\.[0-9]{8}T[0-9]{9}Z$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex ServiceStamp();

    [GeneratedRegex(@"\.(gz|zst|zstd)$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Compressed();

    // by the service; logrotate's numbers; its dateext (-20260203, -2026020304 hourly, seconds, a dateformat of these with hyphens)
    [GeneratedRegex(
        @"(\.[0-9]{8}T[0-9]{9}Z|\.[0-9]{1,5}|[-.][0-9]{8,18}(-[0-9]+)?|[-.][0-9]{4}-[0-9]{2}-[0-9]{2}([-_T]?[0-9]{2,6})?)$",
        RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Rotated();
}
