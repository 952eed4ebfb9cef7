using System.Globalization;
using ConntrackStream.Pipeline.Files;
using ConntrackStream.Sinks.FlowLog;
using static ConntrackStream.EventTap.Netlink.Libc;

namespace ConntrackStream.Sinks.Files;

/// <summary>
/// Is a file that decides over what this service does (a plug-in, a program, a rule file) in the hands of root, or of the service's own
/// user, alone? Whoever can write it, or a directory or symbolic link on its way, would act with the service's rights.
/// </summary>
internal static class RootOwned
{
    private const int GroupWrite = 0x10, OtherWrite = 0x2; // S_IWGRP, S_IWOTH
    private const int MostLinks = 40; // MAXSYMLINKS
    private const int Sticky = 0x200; // S_ISVTX: in such a directory only owners rename and delete

    /// <summary>What is wrong, as the end of the sentence "PATH …"; null when all is well.</summary>
    internal static string? Problem(string path)
    {
        try
        {
            File.OpenHandle(path).Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException) // the last: empty, or with a NUL
        {
            return File.Exists(path) ? $"cannot be opened: {e.Message}" : "does not exist, or is no file";
        }

        return ProblemOnTheWay(Path.IsPathRooted(path) ? path : Path.Join(Environment.CurrentDirectory, path));
    }

    /// <summary>
    /// Goes the way as the kernel does, one name after the other, and where a symbolic link leads: each step is somebody's to change.
    /// </summary>
    private static string? ProblemOnTheWay(string path)
    {
        string at = "/";
        Stack<string> names = new();
        Push(names, path);
        if (ProblemOf(at, out _) is { } ofRoot)
            return $"is below /, which {ofRoot}";
        for (int links = 0; names.TryPop(out string? name);)
        {
            if (name == "..")
            {
                at = Path.GetDirectoryName(at) ?? "/";
                continue;
            }

            string next = Path.Join(at, name);
            if (ProblemOf(next, out bool isLink) is { } problem)
                return names.Count == 0 ? problem : $"is below {next}, which {problem}";
            if (!isLink)
            {
                at = next;
                continue;
            }

            if (++links > MostLinks || new FileInfo(next).LinkTarget is not { } target)
                return $"is reached by way of {next}, which leads too far";
            Push(names, target);
            at = Path.IsPathRooted(target) ? "/" : at;
        }

        return null;
    }

    private static void Push(Stack<string> names, string path)
    {
        foreach (string name in path.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse())
        {
            if (name != ".")
                names.Push(name);
        }
    }

    private static string? ProblemOf(string path, out bool isLink)
    {
        isLink = false;
        if (!FileStat.TryRead(path, out FileStat stat))
            return $"cannot be examined: {LastErrno}";
        if (stat.UserId != 0 && stat.UserId != FileTrust.OwnUser)
            return string.Create(
                CultureInfo.InvariantCulture,
                $"belongs to user {stat.UserId}; it must belong to root ({UserMap.Own.Advice(stat.UserId, 0)})");
        isLink = stat.Type == FileType.SymbolicLink;
        bool isSafe = isLink // its mode means nothing
            || (stat.Mode & (GroupWrite | OtherWrite)) == 0
            || (stat.Type == FileType.Directory && (stat.Mode & Sticky) != 0);
        return isSafe ? null : "can be written by its group or by everybody (chmod go-w)";
    }
}
