using ConntrackStream.EventTap.Netlink;
using Microsoft.Win32.SafeHandles;
using static ConntrackStream.EventTap.Netlink.Libc;

namespace ConntrackStream.Service.Verbs.Recording;

/// <summary>A new file for its owner alone: a capture has everybody's addresses.</summary>
internal static class CaptureFile
{
    private const uint OwnerOnly = 0x180; // 0600

    /// <summary>Makes the file. What exists is not written over, and no link is followed.</summary>
    /// <exception cref="UnauthorizedAccessException">It may not be made there.</exception>
    /// <exception cref="IOException">It exists, or cannot be made.</exception>
    internal static Stream Create(string path)
    {
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, OwnerOnly);
        if (fd >= 0)
            return new FileStream(new SafeFileHandle(fd, ownsHandle: true), FileAccess.Write, bufferSize: 0);
        Errno errno = LastErrno;
        string message = $"making {path}: {errno} ({NetlinkException.DescribeErrno(errno)})"
            + (errno == Errno.EEXIST ? ": remove it, or name another file" : "");
        throw errno is Errno.EACCES or Errno.EPERM ? new UnauthorizedAccessException(message) : new IOException(message);
    }
}
