using System.Globalization;
using ConntrackStream.Sinks.FlowLog;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Sinks;

/// <summary>
/// Is a file that decides over what this service does (a plug-in, a program, a rule file) in the hands of root, or of the service's own user, alone?
/// Whoever can write it, or a directory or symbolic link on its way, would act with the service's rights.
/// </summary>
internal static class RootOwned
{
    private const int GroupWrite = 0x10, OtherWrite = 0x2; // S_IWGRP, S_IWOTH
    private const int Sticky = 0x200; // S_ISVTX: in such a directory only owners rename and delete

    /// <summary>What is wrong, as the end of the sentence "PATH …"; null when all is well.</summary>
    internal static string? Problem(string path)
    {
        string real;
        try
        {
            using SafeFileHandle handle = File.OpenHandle(path);
            real = File.ResolveLinkTarget($"/proc/self/fd/{handle.DangerousGetHandle()}", returnFinalTarget: false)!.FullName;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return File.Exists(path) ? $"cannot be opened: {e.Message}" : "does not exist, or is no file";
        }

        string named = Path.GetFullPath(path);
        return ProblemOnTheWay(real) ?? (named == real ? null : ProblemOnTheWay(named));
    }

    private static string? ProblemOnTheWay(string file)
    {
        for (string? part = file; part is not null; part = Path.GetDirectoryName(part))
        {
            if (ProblemOf(part) is { } problem)
                return part == file ? problem : $"is below {part}, which {problem}";
        }

        return null;
    }

    private static string? ProblemOf(string path)
    {
        if (!FileCalls.TryStat(path, out FileStat stat))
            return $"cannot be examined: {FileCalls.LastErrno}";
        if (stat.UserId != 0 && stat.UserId != FileCalls.geteuid())
            return string.Create(CultureInfo.InvariantCulture, $"belongs to user {stat.UserId}; it must belong to root (chown root)");
        bool isSafe = stat.Type == FileType.SymbolicLink // whose mode means nothing
            || (stat.Mode & (GroupWrite | OtherWrite)) == 0
            || (stat.Type == FileType.Directory && (stat.Mode & Sticky) != 0);
        return isSafe ? null : "can be written by its group or by everybody (chmod go-w)";
    }
}
