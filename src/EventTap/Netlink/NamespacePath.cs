using System.Globalization;
using Microsoft.Win32.SafeHandles;
using static ConntrackStream.EventTap.Netlink.Libc;

namespace ConntrackStream.EventTap.Netlink;

/// <summary>
/// A file that stands for a network namespace. One under <c>/proc/PID</c> stands for that process's only: the kernel gives its number to
/// another process later.
/// </summary>
internal sealed unsafe class NamespacePath
{
    private readonly string _path;
    private readonly int? _process;
    private readonly Func<int, string?> _startOf;
    private readonly string? _processStart; // clock ticks since boot

    /// <summary>Call before the file is opened for the first time.</summary>
    /// <param name="startOf">When a process began, in whatever unit; null when there is none.</param>
    internal NamespacePath(string path, Func<int, string?>? startOf = null)
    {
        _path = path;
        _process = ProcessOf(path);
        _startOf = startOf ?? StartOf;
        _processStart = _process is { } id ? _startOf(id) : null;
    }

    /// <summary>The namespace that it stands for now; null when there is none.</summary>
    internal SafeFileHandle? TryOpen(out string? why)
    {
        int fd = open(_path, O_RDONLY | O_CLOEXEC, 0);
        if (fd < 0)
        {
            Errno errno = LastErrno;
            why = errno == Errno.ENOENT ? $"{_path} does not exist" : $"{_path}: {NetlinkException.DescribeErrno(errno)}";
            return null;
        }

        SafeFileHandle file = new(fd, ownsHandle: true);
        // While `ip netns add` runs, the name is an empty file for a moment.
        why = ioctl(file, NS_GET_NSTYPE, null) != CLONE_NEWNET ? $"{_path} is not a network namespace"
            : _process is { } id && _startOf(id) != _processStart ? $"process {id} has ended, and another has its number"
            : null;
        if (why is null)
            return file;
        file.Dispose();
        return null;
    }

    internal static int? ProcessOf(string path) =>
        path.Split('/') is ["", "proc", { } id, .., "ns", "net"]
            && int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? number
            : null;

    /// <summary>Field 22 of /proc/PID/stat (proc_pid_stat(5)): the second, the program's name, may hold blanks and brackets.</summary>
    private static string? StartOf(int process)
    {
        try
        {
            string stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/stat"));
            string[] behindName = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return behindName[22 - 3];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or IndexOutOfRangeException)
        {
            return null;
        }
    }
}
