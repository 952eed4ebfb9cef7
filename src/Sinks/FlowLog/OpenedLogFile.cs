using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Files;
using ConntrackStream.Sinks.Files;
using Microsoft.Win32.SafeHandles;
using static ConntrackStream.EventTap.Netlink.Libc;
using static ConntrackStream.Sinks.Files.FileCalls;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>
/// One regular file, open for appending and locked against a second instance. Only regular files are taken: a symbolic
/// link could lead a process with root's rights anywhere, and a FIFO or device neither rotates nor repairs; those are reached by Path
/// <c>-</c> and the shell's redirection, as is /dev/stdout.
/// </summary>
internal sealed class OpenedLogFile : IDisposable
{
    private readonly FileStat _stat;

    private OpenedLogFile(SafeFileHandle handle, in FileStat stat)
    {
        Handle = handle;
        _stat = stat;
        Length = (long)stat.Size;
    }

    internal SafeFileHandle Handle { get; }

    /// <summary>Bytes, as far as this process wrote them.</summary>
    internal long Length { get; set; }

    /// <summary>When the file was last written to before it was opened, ns since the Unix epoch.</summary>
    internal long ModifiedBefore => _stat.Modified;

    /// <summary>Opens the file, or creates it with mode 0640 (less what the umask takes).</summary>
    /// <param name="setting">That names it, for messages.</param>
    /// <exception cref="FlowLogFileException">It cannot be opened, or is refused.</exception>
    internal static OpenedLogFile Open(string path, string setting)
    {
        OpenedLogFile file = Open(path, setting, O_CREAT);
        if (!IsLockedByAnother(file.Handle))
            return file;
        file.Dispose();
        throw new FlowLogFileException(
            path, Errno.EAGAIN, "another process has it open for writing (a second instance?); give each its own file", setting);
    }

    /// <summary>Refuses a file as <see cref="Open(string, string)"/> does, but for its lock; it is not made and not changed.</summary>
    /// <exception cref="FlowLogFileException">It cannot be opened, or is refused.</exception>
    internal static void Probe(string path, string setting) => Open(path, setting, flags: 0).Dispose();

    private static OpenedLogFile Open(string path, string setting, int flags)
    {
        if (FileStat.TryRead(path, out FileStat existing) && existing.Type != FileType.Regular)
            throw Refused(path, existing.Type, setting);
        int fd = open(path, O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | flags, (uint)FileModes.Log);
        if (fd < 0)
            throw Failed(path, LastErrno, setting);
        SafeFileHandle handle = new(fd, ownsHandle: true);
        try
        {
            if (!FileStat.TryRead(handle, out FileStat stat))
                throw Failed(path, LastErrno, setting);
            if (stat.Type != FileType.Regular) // changed between the two calls
                throw Refused(path, stat.Type, setting);
            return FileTrust.Problem(stat, groupMayWrite: true) is { } problem
                ? throw new FlowLogFileException(path, Errno.None, problem, setting)
                : new OpenedLogFile(handle, stat);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>The path still names this file.</summary>
    internal bool IsAt(string path) => FileStat.TryRead(path, out FileStat there) && there.IsSameFile(_stat);

    /// <summary>No name is left: what is written goes with the descriptor. A file that was only renamed has one.</summary>
    internal bool IsRemoved => FileStat.TryRead(Handle, out FileStat now) && now.Links == 0;

    /// <summary>
    /// Another program emptied it or cut it off: it has less than was written to it. <see cref="Length"/> is what it has from now on.
    /// </summary>
    internal bool TakeShortening()
    {
        if (!FileStat.TryRead(Handle, out FileStat now) || (long)now.Size >= Length)
            return false;
        Length = (long)now.Size;
        return true;
    }

    /// <summary>Cuts off what follows <paramref name="length"/>, if nobody else has written since.</summary>
    internal bool TryTruncate(long expectedLength, long length)
    {
        if (!FileStat.TryRead(Handle, out FileStat now) || (long)now.Size != expectedLength || Libc.ftruncate(Handle, length) < 0)
            return false;
        Length = length;
        return true;
    }

    public void Dispose() => Handle.Dispose();

    private static FlowLogFileException Refused(string path, FileType type, string setting)
    {
        bool mayBeStandardOutput = setting == FlowLogFileException.FlowLogPath;
        return new FlowLogFileException(path, Errno.None, type switch
        {
            FileType.SymbolicLink =>
                "is a symbolic link, which is not followed; "
                + $"name the file itself{(mayBeStandardOutput ? ", or '-' for standard output" : "")}",
            FileType.Directory => "is a directory; name a file in it",
            _ => $"is not a regular file{(mayBeStandardOutput ? "; use '-' and redirect standard output to it" : "")}",
        }, setting);
    }

    private static FlowLogFileException Failed(string path, Errno errno, string setting) => new(path, errno, errno switch
    {
        Errno.ENOENT => $"the directory '{Path.GetDirectoryName(Path.GetFullPath(path))}' does not exist; create it, or name another path",
        ENOTDIR => $"'{Path.GetDirectoryName(Path.GetFullPath(path))}' is not a directory",
        ELOOP => "is a symbolic link, which is not followed; name the file itself",
        Errno.EACCES or Errno.EPERM =>
            $"cannot be opened for writing: {errno}; give the service's user the right to write it and its directory",
        _ => $"cannot be opened: {errno} ({NetlinkException.DescribeErrno(errno)})",
    }, setting);
}
