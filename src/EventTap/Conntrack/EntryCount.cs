using System.Globalization;
using ConntrackStream.EventTap.Netlink;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.EventTap.Conntrack;

/// <summary>
/// Entries in one network namespace's table, read from its sysctl. Unlike the same figure over netlink
/// (<see cref="ConntrackClient.Count"/>) it waits for no mutex: it can be read while the table is flushed. The open file stays with the
/// namespace in which it was opened, whichever thread reads it: the kernel looks that up when it opens the file.
/// </summary>
public sealed class EntryCount : IDisposable
{
    private const string Path = "/proc/sys/net/netfilter/nf_conntrack_count";

    private readonly SafeFileHandle _file;

    private EntryCount(SafeFileHandle file) => _file = file;

    /// <summary>Opens the count of a namespace, on a thread inside it.</summary>
    /// <exception cref="IOException">There is no such file: /proc is not mounted, or connection tracking is not loaded.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    /// <exception cref="NetlinkException">The namespace cannot be entered.</exception>
    public static EntryCount Open(NetworkNamespace networkNamespace) =>
        new(networkNamespace.Run(static () => File.OpenHandle(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite)));

    /// <summary>The count now; null when the kernel does not say, as after the end of the namespace.</summary>
    public long? Read()
    {
        Span<byte> text = stackalloc byte[32];
        try
        {
            int length = RandomAccess.Read(_file, text, fileOffset: 0);
            ReadOnlySpan<byte> digits = text[..length].TrimEnd("\n"u8);
            return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long count) ? count : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            return null;
        }
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _file.Dispose();
}
