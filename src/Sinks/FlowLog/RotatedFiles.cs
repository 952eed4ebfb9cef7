using System.Globalization;
using ConntrackStream.Pipeline.Files;
using ConntrackStream.Sinks.Files;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>
/// Names of rotated files: <c>flows.ndjson.20260203T040506789Z</c>, then <c>….gz</c>. The time stands behind the extension on purpose: a
/// shipper that follows <c>*.ndjson</c> or <c>*.log</c> must not take the renamed file for a new one and send everything twice; it goes on
/// reading the old one by its inode. Sorted by name they are sorted by time, and nothing is renamed twice.
/// </summary>
internal sealed class RotatedFiles(string path)
{
    private const string Stamp = "yyyyMMdd'T'HHmmssfff'Z'";
    private const int StampLength = 19;
    internal const string Gzip = ".gz";
    internal const string Unfinished = ".gz.tmp";

    private readonly string _directory = Path.GetDirectoryName(Path.GetFullPath(path))!;
    private readonly string _prefix = Path.GetFileName(path) + ".";
    private DateTime _latest; // that a name was made of

    /// <summary>
    /// A name behind those of all others: of the time, or, where files are rotated within a millisecond or the clock was set back, of the
    /// next millisecond after the latest. The oldest are deleted by their names.
    /// </summary>
    internal string NewName(DateTimeOffset now)
    {
        foreach (string file in Entries("").Concat(Entries(Gzip)))
        {
            if (TimeOf(Path.GetFileName(file)) is { } time && time > _latest && time.Year < DateTime.MaxValue.Year) // nothing is behind it
                _latest = time;
        }

        DateTime next = _latest.AddMilliseconds(1);
        _latest = now.UtcDateTime > next ? now.UtcDateTime : next;
        return Path.Join(_directory, _prefix + _latest.ToString(Stamp, CultureInfo.InvariantCulture));
    }

    internal string Directory => _directory;

    /// <summary>
    /// All rotated files, oldest first; a file and its compressed form are two. What others put there under such a name is not one.
    /// </summary>
    internal List<string> List() => [.. Named("").Concat(Named(Gzip)).Order(StringComparer.Ordinal)];

    /// <summary>What an interrupted compression left behind.</summary>
    internal List<string> ListUnfinished() => [.. Named(Unfinished)];

    /// <summary>Names of what lies hidden beside rotated files: a dot, such a name, and more behind it.</summary>
    internal List<string> ListBeside() => [.. System.IO.Directory.EnumerateFileSystemEntries(_directory, $".{_prefix}*")
        .Select(static file => Path.GetFileName(file))
        .Where(name => name.Length > _prefix.Length + StampLength + 1 && IsRotated(name.AsSpan(1, _prefix.Length + StampLength), ""))];

    /// <summary>What has the name of a rotated file, but is somebody else's, or no file: with the reason.</summary>
    internal List<string> ListForeign() => [.. Entries("").Concat(Entries(Gzip))
        .Select(static file => (Path: file, Problem: ProblemOf(file))).Where(static file => file.Problem is not null)
        .Select(static file => $"{file.Path} {file.Problem}")];

    private IEnumerable<string> Named(string suffix) => Entries(suffix).Where(static file => ProblemOf(file) is null);

    private IEnumerable<string> Entries(string suffix) => System.IO.Directory.EnumerateFileSystemEntries(_directory, _prefix + "*")
        .Where(file => IsRotated(Path.GetFileName(file.AsSpan()), suffix));

    private static string? ProblemOf(string file) =>
        FileStat.TryRead(file, out FileStat stat) ? FileTrust.Problem(stat, groupMayWrite: true) : "cannot be examined";

    private DateTime? TimeOf(ReadOnlySpan<char> name) => DateTime.TryParseExact(
        name.Slice(_prefix.Length, StampLength), Stamp, CultureInfo.InvariantCulture,
        DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTime time) ? time : null;

    private bool IsRotated(ReadOnlySpan<char> name, string suffix) =>
        name.Length == _prefix.Length + StampLength + suffix.Length
        && name.StartsWith(_prefix, StringComparison.Ordinal) && name.EndsWith(suffix, StringComparison.Ordinal)
        && TimeOf(name) is not null;
}
