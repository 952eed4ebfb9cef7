using ConntrackStream.EventTap.Netlink;
using static ConntrackStream.EventTap.Netlink.Libc;
using static ConntrackStream.Sinks.Libc;

namespace ConntrackStream.Sinks.Files;

/// <summary>The group of a file.</summary>
internal static unsafe class FileGroup
{
    /// <summary>The number of a group; null when there is none of that name.</summary>
    internal static uint? Find(string name)
    {
        byte[] buffer = new byte[64 * 1024]; // a group's members are in it, too
        Group entry;
        Group* found = null;
        fixed (byte* strings = buffer)
            _ = getgrnam_r(name, &entry, strings, (nuint)buffer.Length, &found);
        return found is null ? null : entry.GroupId;
    }

    /// <summary>Gives the file to a group, and not what a symbolic link there leads to.</summary>
    /// <exception cref="UnauthorizedAccessException">Not allowed.</exception>
    /// <exception cref="IOException">It failed.</exception>
    internal static void Set(string path, uint group)
    {
        const uint SameUser = uint.MaxValue;
        if (lchown(path, SameUser, group) == 0)
            return;
        Errno errno = LastErrno;
        string message = $"{path} cannot be given to group {group}: {NetlinkException.DescribeErrno(errno)}";
        throw errno == Errno.EPERM ? new UnauthorizedAccessException(message) : new IOException(message);
    }
}
