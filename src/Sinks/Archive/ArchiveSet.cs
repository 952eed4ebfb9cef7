using ConntrackStream.Sinks.Files;

namespace ConntrackStream.Sinks.Archive;

/// <summary>
/// The logs that files and directories hold, all of them open: a file that is renamed or removed meanwhile is read all the same.
/// </summary>
internal sealed class ArchiveSet : IDisposable
{
    private const string NoRecord = "does not begin with a record of a flow log: its beginning is damaged, or it is something else";
    private const string NoFile = "is a link, a directory or a device, which is not read";
    private const int MostListings = 5; // of a directory in which files are rotated while it is read

    private readonly List<ArchiveMember> _members = [];
    private readonly List<ArchiveFault> _faults = [];
    private readonly List<(ArchiveFault Fault, string Log)> _strangers = []; // in directories: what cannot be read as a log
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);

    private readonly Func<ArchiveFile, IFileIndex?>? _indexOf;

    private ArchiveSet(Func<ArchiveFile, IFileIndex?>? indexOf) => _indexOf = indexOf;

    internal IReadOnlyList<ArchiveLog> Logs { get; private set; } = [];

    /// <summary>What was to be read and cannot be.</summary>
    internal IReadOnlyList<ArchiveFault> Faults => _faults;

    /// <summary>Files in directories that hold something else, and belong to no log by their names.</summary>
    internal IReadOnlyList<string> Others { get; private set; } = [];

    internal IEnumerable<ArchiveMember> Members => Logs.SelectMany(static log => log.Members);

    /// <summary>Opens what the user named: files, which may be links, and the files in directories, which may not.</summary>
    /// <param name="indexOf">Finds a file's index; null: none is wanted.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    internal static ArchiveSet Open(IReadOnlyList<string> paths, Func<ArchiveFile, IFileIndex?>? indexOf = null)
    {
        ArchiveSet set = new(indexOf);
        try
        {
            foreach (string path in paths)
            {
                if (Directory.Exists(path))
                    set.AddDirectory(path, static _ => true);
                else if (File.Exists(path))
                    set.AddFile(path, isNamed: true);
                else
                    throw new FileNotFoundException($"{path}: there is no such file or directory");
            }

            set.Group();
            return set;
        }
        catch
        {
            set.Dispose();
            throw;
        }
    }

    /// <summary>Opens a log with the rotated files beside it.</summary>
    internal static ArchiveSet OpenLog(string path, Func<ArchiveFile, IFileIndex?>? indexOf = null)
    {
        ArchiveSet set = new(indexOf);
        try
        {
            string full = Path.GetFullPath(path);
            if (Directory.Exists(Path.GetDirectoryName(full)))
                set.AddDirectory(Path.GetDirectoryName(full)!, file => LogName.Of(file) == full);
            set.Group();
            return set;
        }
        catch
        {
            set.Dispose();
            throw;
        }
    }

    public void Dispose() => _members.ForEach(static member => member.Dispose());

    /// <summary>Lists again until nothing new is there: the log may be renamed, and begun again, between list and opening.</summary>
    private void AddDirectory(string directory, Func<string, bool> isWanted)
    {
        bool grew = true;
        for (int listing = 0; grew && listing < MostListings; listing++)
        {
            grew = false;
            string[] files = [.. Directory.EnumerateFileSystemEntries(directory).Order(StringComparer.Ordinal)];
            foreach (string file in files.Where(isWanted).Where(file => IsCandidate(Path.GetFileName(file))))
            {
                // a file and its compressed form have the same records; the former goes when the latter is whole
                if (_seen.Contains(LogName.WithoutCompression(file)) || !_seen.Add(file))
                    continue;
                grew = true;
                AddFile(file, isNamed: false);
            }
        }
    }

    private static bool IsCandidate(string name) =>
        !name.StartsWith('.') && !name.EndsWith(".tmp", StringComparison.Ordinal) && !name.EndsWith(".position", StringComparison.Ordinal);

    private void AddFile(string path, bool isNamed)
    {
        if (ArchiveFile.TryOpen(path, isNamed, out string? problem) is not { } file)
        {
            if (problem is null)
                _strangers.Add((new ArchiveFault(path, NoFile), LogName.Of(path)));
            else if (isNamed || File.Exists(path))
                _faults.Add(new ArchiveFault(path, problem));
            return;
        }

        if (_members.Exists(member => member.File.IsSameFile(file)))
        {
            file.Dispose();
            return;
        }

        IFileIndex? index = file.IsRotated ? _indexOf?.Invoke(file) : null;
        FileHead head = index?.Head ?? FileHead.Read(file);
        if (head.IsRecords && file.IsEmptyAgainstItsName)
            head = new FileHead { Problem = "is empty, which no file of this name is: what it had is lost" };
        if (head.IsRecords || isNamed || head.Problem is not null)
        {
            _members.Add(new ArchiveMember(file, head, index));
            return;
        }

        _strangers.Add((new ArchiveFault(path, NoRecord), file.Log));
        file.Dispose();
    }

    /// <summary>
    /// A file that holds no records, and is named or has the name of a log's file, is a fault; those with records are put in order.
    /// </summary>
    private void Group()
    {
        HashSet<string> logs = [.. _members.Select(static member => member.File.Log)];
        _faults.AddRange(_strangers.Where(stranger => logs.Contains(stranger.Log)).Select(static stranger => stranger.Fault));
        Others =
        [
            .. _strangers.Where(stranger => !logs.Contains(stranger.Log) && stranger.Fault.Problem == NoRecord)
                .Select(static stranger => stranger.Fault.Path),
        ];
        foreach (ArchiveMember member in _members)
        {
            if (member.Head.Lacking is { } field)
                _faults.Add(new ArchiveFault(member.File.Path, $"has records without the field {field} (FlowLog:Fields)"));
            if (member.Head.IsRecords)
                continue;
            _faults.Add(new ArchiveFault(member.File.Path, member.Head.Problem ?? NoRecord));
        }

        Logs =
        [
            .. _members.Where(static member => member.Head.IsRecords).GroupBy(static member => member.File.Log, StringComparer.Ordinal)
                .Select(static log => new ArchiveLog(log.Key, [.. InOrder([.. log])])),
        ];
    }

    /// <summary>
    /// The service's own names are in the order of its files, whatever the clock was set to; files with other names are put in the order of
    /// their first records.
    /// </summary>
    private static IEnumerable<ArchiveMember> InOrder(ArchiveMember[] members)
    {
        bool areOwn = Array.TrueForAll(members, static member => !member.File.IsRotated || LogName.IsRotatedByService(member.File.Path));
        return members.OrderBy(member => areOwn ? Convert.ToInt64(!member.File.IsRotated) : member.FirstTime ?? long.MaxValue)
            .ThenBy(static member => member.File.Path, StringComparer.Ordinal);
    }
}
