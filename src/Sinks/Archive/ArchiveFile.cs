using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Files;
using ConntrackStream.Sinks.Files;
using Microsoft.Win32.SafeHandles;
using static ConntrackStream.EventTap.Netlink.Libc;

namespace ConntrackStream.Sinks.Archive;

/// <summary>One file of an archive, open for reading. Its length is what it was when it was opened: a live log may grow.</summary>
internal sealed class ArchiveFile : IDisposable
{
    private const Errno ENXIO = (Errno)6; // it is a socket

    private readonly FileStat _stat;

    private ArchiveFile(string path, SafeFileHandle handle, in FileStat stat)
    {
        Path = path;
        Log = LogName.Of(path);
        Handle = handle;
        _stat = stat;
        Compression = CompressionMagic.Of(handle);
    }

    internal string Path { get; }

    /// <summary>See <see cref="LogName"/>.</summary>
    internal string Log { get; }

    internal SafeFileHandle Handle { get; }

    internal Compression Compression { get; }

    internal long Length => (long)_stat.Size;

    /// <summary>ns since the Unix epoch.</summary>
    internal long Modified => _stat.Modified;

    internal uint Owner => _stat.UserId;

    /// <summary>It has the length and the time of modification that it had when it was opened.</summary>
    internal bool IsUnchanged => FileStat.TryRead(Handle, out FileStat now) && now.Size == _stat.Size && now.Modified == _stat.Modified;

    /// <summary>It has the name of a file that is not written any more.</summary>
    internal bool IsRotated => Log != System.IO.Path.GetFullPath(Path);

    /// <summary>It may be the log that is written at the moment, whose last line is then not yet whole.</summary>
    internal bool MayGrow => !IsRotated && Compression == Compression.None;

    /// <summary>
    /// It has no byte, and the name of a file that had some: the service rotates none without, and compression makes none.
    /// </summary>
    internal bool IsEmptyAgainstItsName => _stat.Size == 0 && IsRotated && LogName.IsNeverEmpty(Path);

    /// <summary>The path names this file itself, and no link to it.</summary>
    internal bool IsAtPath => FileStat.TryRead(Path, out FileStat there) && there.IsSameFile(_stat);

    /// <summary>Opens a regular file. FIFOs and devices are refused without waiting for them.</summary>
    /// <param name="followLinks">The user named it; what lies in a directory may be anybody's link to anywhere.</param>
    /// <param name="problem">The end of the sentence "FILE …"; null for what is skipped in a directory: links, devices.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    internal static ArchiveFile? TryOpen(string path, bool followLinks, out string? problem)
    {
        problem = null;
        int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | (followLinks ? 0 : O_NOFOLLOW), 0);
        if (fd < 0)
        {
            problem = (LastErrno is ELOOP or ENXIO) && !followLinks
                ? null
                : $"cannot be opened: {LastErrno} ({NetlinkException.DescribeErrno(LastErrno)})";
            return null;
        }

        SafeFileHandle handle = new(fd, ownsHandle: true);
        try
        {
            if (FileStat.TryRead(handle, out FileStat stat) && stat.Type == FileType.Regular)
                return new ArchiveFile(path, handle, stat);
            problem = followLinks ? "is no regular file" : null;
        }
        catch
        {
            handle.Dispose();
            throw;
        }

        handle.Dispose();
        return null;
    }

    internal bool IsSameFile(ArchiveFile other) => _stat.IsSameFile(other._stat);

    internal ArchiveBytes Read() => ArchiveBytes.Open(Handle, Compression, Length);

    public void Dispose() => Handle.Dispose();
}
