using System.Buffers.Text;
using ConntrackStream.EventTap.Netlink;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.EventTap.Conntrack;

/// <summary>
/// Clashes that the kernel has resolved in one network namespace (clash_resolve, all processors together), read from its /proc/net/stat:
/// unlike the same figure over netlink (<see cref="ConntrackCpuStats"/>) it waits for no mutex. The open file stays with the namespace in
/// which it was opened. Not thread-safe.
/// </summary>
public sealed class ClashCount : IDisposable
{
    private const string Path = "/proc/thread-self/net/stat/nf_conntrack"; // of the thread inside the namespace

    private readonly SafeFileHandle _file;
    private byte[] _text = new byte[4096];
    private long _last;

    private ClashCount(SafeFileHandle file) => _file = file;

    /// <summary>Opens the figure of a namespace, on a thread inside it.</summary>
    /// <exception cref="IOException">There is no such file: without CONFIG_NF_CONNTRACK_PROCFS, or before
    /// connection tracking is loaded.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    /// <exception cref="NetlinkException">The namespace cannot be entered.</exception>
    public static ClashCount Open(NetworkNamespace networkNamespace) =>
        new(networkNamespace.Run(static () => File.OpenHandle(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite)));

    /// <summary>The figure now; what it was last where the kernel does not say.</summary>
    public long Read()
    {
        try
        {
            _last = Sum(ReadAll()) ?? _last;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            // As after the end of the namespace.
        }

        return _last;
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _file.Dispose();

    /// <summary>A line of names, then one of hexadecimal figures for each processor; null where there is no such column.</summary>
    internal static long? Sum(ReadOnlySpan<byte> text)
    {
        int end = text.IndexOf((byte)'\n');
        if (end < 0 || ColumnOf("clashres"u8, text[..end]) is not { } column)
            return null;
        long sum = 0;
        foreach (Range line in text[(end + 1)..].Split((byte)'\n'))
        {
            ReadOnlySpan<byte> word = WordAt(column, text[(end + 1)..][line]);
            if (Utf8Parser.TryParse(word, out uint count, out int length, 'x') && length == word.Length)
                sum += count;
        }

        return sum;
    }

    private ReadOnlySpan<byte> ReadAll()
    {
        int length = 0;
        for (int read; (read = RandomAccess.Read(_file, _text.AsSpan(length), length)) > 0;)
        {
            length += read;
            if (length == _text.Length)
                Array.Resize(ref _text, _text.Length * 2);
        }

        return _text.AsSpan(0, length);
    }

    private static int? ColumnOf(ReadOnlySpan<byte> name, ReadOnlySpan<byte> header)
    {
        for (int column = 0; WordAt(column, header) is { IsEmpty: false } word; column++)
        {
            if (word.SequenceEqual(name))
                return column;
        }

        return null;
    }

    private static ReadOnlySpan<byte> WordAt(int column, ReadOnlySpan<byte> line)
    {
        line = line.TrimStart((byte)' ');
        for (; column > 0 && line.IndexOf((byte)' ') is >= 0 and int blank; column--)
            line = line[blank..].TrimStart((byte)' ');
        if (column > 0)
            return default;
        int end = line.IndexOf((byte)' ');
        return end < 0 ? line : line[..end];
    }
}
