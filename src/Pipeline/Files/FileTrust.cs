using System.Globalization;

namespace ConntrackStream.Pipeline.Files;

/// <summary>
/// Whose is a file that this service, often root, reads or writes? Somebody else may have put it there: a link to lead the writes, or the
/// reading, to another file, a FIFO to hold them up, or content of their own.
/// </summary>
public static class FileTrust
{
    private const UnixFileMode WritableByOthers = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    /// <summary>The user that this process acts as.</summary>
    public static uint OwnUser => Libc.geteuid();

    /// <summary>
    /// What is wrong with a file that is open, as the end of the sentence "FILE …", with what to do; null when it may be used.
    /// </summary>
    /// <param name="groupMayWrite">The file is the service's output: what its group writes there misleads nobody here.</param>
    public static string? Problem(in FileStat file, bool groupMayWrite = false)
    {
        if (file.Type != FileType.Regular)
        {
            return file.Type == FileType.SymbolicLink
                ? "is a symbolic link, which is not followed; remove it"
                : "is no regular file; remove it";
        }

        if (file.Links > 1)
            return "has another name (a hard link), so writing it may change a file elsewhere; remove it";
        if (ProblemOfOwner(file) is { } problem)
            return problem;
        UnixFileMode forbidden = groupMayWrite ? UnixFileMode.OtherWrite : WritableByOthers;
        return ((UnixFileMode)file.Mode & forbidden) == UnixFileMode.None
            ? null
            : groupMayWrite ? "can be written by everybody (chmod o-w)" : "can be written by others (chmod go-w)";
    }

    /// <summary>What is wrong with the directory of the service's state; null when it may be used.</summary>
    public static string? ProblemOfDirectory(in FileStat directory)
    {
        if (directory.Type != FileType.Directory)
            return "is no directory; remove it, or name another one";
        return ProblemOfOwner(directory) ?? (((UnixFileMode)directory.Mode & UnixFileMode.OtherWrite) == UnixFileMode.None
            ? null
            : "can be written by everybody; it must be the service's alone (chmod o-w)");
    }

    /// <summary>Root and the service's own user are trusted.</summary>
    public static string? ProblemOfOwner(in FileStat file)
    {
        uint own = OwnUser;
        return file.UserId == 0 || file.UserId == own
            ? null
            : string.Create(
                CultureInfo.InvariantCulture,
                $"belongs to user {file.UserId}; it must belong to {(own == 0 ? "root" : $"user {own}")} "
                    + $"({UserMap.Own.Advice(file.UserId, own)})");
    }
}
