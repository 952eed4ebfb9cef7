using ConntrackStream.EventTap.Netlink;
using Microsoft.Win32.SafeHandles;
using static ConntrackStream.EventTap.Netlink.Libc;
using static ConntrackStream.Pipeline.Files.Libc;

namespace ConntrackStream.Pipeline.Files;

/// <summary>
/// A directory with files of the service, held open: its files are named by one word each, no link is followed, and each is looked at by
/// its descriptor before it is used. So nothing that is changed in the directory between two calls leads anywhere else.
/// </summary>
public sealed class OwnedDirectory : IDisposable
{
    private const string Unknown = "cannot be examined";

    private readonly SafeFileHandle _handle;

    private OwnedDirectory(string path, SafeFileHandle handle)
    {
        Path = path;
        _handle = handle;
    }

    public string Path { get; }

    /// <summary>A directory that others may own, as a flow log's: only its files are looked at.</summary>
    /// <exception cref="IOException">There is no such directory, or it cannot be opened.</exception>
    public static OwnedDirectory Open(string path) =>
        new(path, Libc.Open(path, O_RDONLY | O_DIRECTORY) ?? throw Failed(path, LastErrno));

    /// <summary>The directory of the service's state, made with mode 0700 if it is missing.</summary>
    /// <exception cref="IOException">It cannot be made or opened, or is somebody else's, or anybody may write to it.</exception>
    /// <exception cref="UnauthorizedAccessException">Not allowed.</exception>
    public static OwnedDirectory OpenState(string path)
    {
        if (ProblemOfName(path) is { } ofName)
            throw new IOException($"{path} {ofName}");
        Directory.CreateDirectory(path, FileModes.StateDirectory);
        OwnedDirectory directory = Open(path);
        string? problem = TryStat(directory._handle, out FileStat stat) ? FileTrust.ProblemOfDirectory(stat) : Unknown;
        if (problem is null)
            return directory;
        directory.Dispose();
        throw new IOException($"{path} {problem}");
    }

    /// <summary>What <see cref="OpenState"/> would say of a directory that is there; null when there is none, or it is right.</summary>
    public static string? ProblemOfState(string path)
    {
        using SafeFileHandle? directory = Libc.Open(path, O_RDONLY | O_DIRECTORY);
        string? problem = ProblemOfName(path);
        if (problem is null && directory is not null && TryStat(directory, out FileStat stat))
            problem = FileTrust.ProblemOfDirectory(stat);
        return problem is null ? null : $"{path} {problem}";
    }

    public string PathOf(string name) => System.IO.Path.Join(Path, name);

    /// <summary>A file to read; null when there is none.</summary>
    /// <exception cref="IOException">It cannot be opened, or must not be trusted.</exception>
    public SafeFileHandle? TryOpen(string name) => Open(name, O_RDONLY, default, mayMiss: true);

    /// <summary>The same for the service's output, which its group may write.</summary>
    /// <exception cref="IOException">As for <see cref="TryOpen"/>.</exception>
    public SafeFileHandle? TryOpenOutput(string name) => Open(name, O_RDONLY, default, mayMiss: true, groupMayWrite: true);

    /// <summary>A file to read and write, made if it is missing.</summary>
    /// <exception cref="IOException">It cannot be opened or made, or must not be trusted.</exception>
    public SafeFileHandle OpenOrCreate(string name, UnixFileMode mode) => Open(name, O_RDWR | O_CREAT, mode, mayMiss: false)!;

    /// <summary>A new file to write, in the place of whatever has the name.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    public SafeFileHandle Create(string name, UnixFileMode mode)
    {
        Delete(name);
        return Open(name, O_WRONLY | O_CREAT | O_EXCL, mode, mayMiss: false)!;
    }

    /// <summary>Replaces what has the new name.</summary>
    /// <exception cref="IOException">It cannot be renamed.</exception>
    public void Rename(string from, string to)
    {
        if (!TryRename(_handle, Word(from), Word(to)))
            throw Failed(PathOf(from), LastErrno);
    }

    /// <summary>Removes the name, not what a link there leads to; nothing when there is none.</summary>
    /// <exception cref="IOException">It cannot be removed.</exception>
    public void Delete(string name)
    {
        if (!TryDelete(_handle, Word(name)) && LastErrno is var errno and not Errno.ENOENT)
            throw Failed(PathOf(name), errno);
    }

    /// <summary>Keeps the directory from everybody else who asks, until this object is disposed or the process ends.</summary>
    /// <returns>False: another one has it. A file system without locks is no reason to refuse.</returns>
    public bool TryKeep() => TryLock(_handle) || LastErrno != Errno.EAGAIN;

    public void Dispose() => _handle.Dispose();

    private SafeFileHandle? Open(string name, int flags, UnixFileMode mode, bool mayMiss, bool groupMayWrite = false)
    {
        SafeFileHandle? file = OpenAt(_handle, Word(name), flags, mode);
        if (file is null)
        {
            Errno errno = LastErrno;
            return mayMiss && errno == Errno.ENOENT ? null : throw Failed(PathOf(name), errno);
        }

        string? problem = TryStat(file, out FileStat stat) ? FileTrust.Problem(stat, groupMayWrite) : Unknown;
        if (problem is null)
            return file;
        file.Dispose();
        throw new IOException($"{PathOf(name)} {problem}");
    }

    // The name itself may be a link, as systemd makes one for DynamicUser=, but not somebody else's.
    private static string? ProblemOfName(string path) => TryStat(path, out FileStat named) ? FileTrust.ProblemOfOwner(named) : null;

    private static string Word(string name) => name is not ("" or "." or "..") && !name.Contains('/', StringComparison.Ordinal)
        ? name
        : throw new ArgumentException($"'{name}' is no name of a file", nameof(name));

    private static Exception Failed(string path, Errno errno) => errno switch
    {
        ELOOP => new IOException($"{path} is a symbolic link, which is not followed; remove it"),
        Errno.EACCES or Errno.EPERM => new UnauthorizedAccessException($"{path}: {NetlinkException.DescribeErrno(errno)}"),
        _ => new IOException($"{path}: {NetlinkException.DescribeErrno(errno)}"),
    };
}
