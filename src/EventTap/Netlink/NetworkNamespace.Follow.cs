using System.Globalization;
using Microsoft.Win32.SafeHandles;
using static ConntrackStream.EventTap.Netlink.Libc;

namespace ConntrackStream.EventTap.Netlink;

// What a name or path leads to may become another namespace.
public sealed partial class NetworkNamespace
{
    private readonly NamespacePath? _path; // null: the current one, or one that only a descriptor leads to
    private int _generation;

    /// <summary>Grows each time it is let go or reopened: a socket opened under another number belongs to another namespace.</summary>
    public int Generation => Volatile.Read(ref _generation);

    /// <summary>Compares the namespace behind the name with the one that is held. Does not wait.</summary>
    /// <param name="why">Why nothing can be followed; null unless <see cref="NamespaceSight.Absent"/>.</param>
    public NamespaceSight Look(out string? why)
    {
        why = null;
        if (_path is null)
            return NamespaceSight.Same;
        using SafeFileHandle? there = _path.TryOpen(out why);
        if (there is null)
            return NamespaceSight.Absent;
        lock (_gate)
            return _handle is not null && IsSame(_handle, there) ? NamespaceSight.Same : NamespaceSight.Replaced;
    }

    /// <summary>
    /// Closes the descriptor: the kernel removes the namespace once its sockets are closed and its processes have ended. Until
    /// <see cref="Reopen"/>, entering it fails with ENOENT. Does nothing to the current one.
    /// </summary>
    public void LetGo()
    {
        if (IsCurrent)
            return;
        lock (_gate)
        {
            _handle?.Dispose();
            _handle = null;
            _generation++;
        }
    }

    /// <summary>Opens what the name leads to now, in place of what is held.</summary>
    /// <exception cref="NetlinkException">ENOENT: it leads to no network namespace.</exception>
    public void Reopen()
    {
        if (_path is null)
            return;
        SafeFileHandle opened = _path.TryOpen(out string? why)
            ?? throw new NetlinkException($"opening network namespace '{Name}'", Errno.ENOENT, why);
        lock (_gate)
        {
            _handle?.Dispose();
            _handle = opened;
            _generation++;
        }
    }

    /// <summary>The namespace that is held now, whatever becomes of this object; for the caller to dispose.</summary>
    /// <exception cref="NetlinkException">It cannot be entered.</exception>
    public NetworkNamespace Pin() => IsCurrent ? this : new NetworkNamespace(Name, NamespaceHandle.Open(this));

    private SafeFileHandle Hold()
    {
        lock (_gate)
        {
            if (_handle is not { } handle)
                throw new NetlinkException($"entering network namespace '{Name}'", Errno.ENOENT, "it is gone");
            bool isHeld = false;
            handle.DangerousAddRef(ref isHeld);
            return handle;
        }
    }

    private static bool IsSame(SafeFileHandle held, SafeFileHandle there) => InodeOf(held) is { } inode && inode == InodeOf(there);

    /// <summary>
    /// The inode of an open namespace (proc(5), since Linux 5.14); no other one has its number meanwhile. The link in fd/ may be its
    /// path's.
    /// </summary>
    private static string? InodeOf(SafeFileHandle file) => File
        .ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/self/fdinfo/{file.DangerousGetHandle()}"))
        .FirstOrDefault(static line => line.StartsWith("ino:", StringComparison.Ordinal));
}
