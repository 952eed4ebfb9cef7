using System.Runtime.ExceptionServices;
using ConntrackStream.Sinks.FlowLog;

namespace ConntrackStream.Sinks.Archive;

/// <summary>Called with a whole line, without its line feed.</summary>
/// <param name="isGap">It was found because it is a gap.</param>
internal delegate void FoundLine(ReadOnlySpan<byte> line, bool isGap);

/// <summary>
/// Goes through the content of a file in large blocks and hands out the lines that can matter: those with a given text, and gaps. All other
/// lines are not even taken apart. Not thread-safe; its buffers are reused from file to file.
/// </summary>
internal sealed class LineScan(byte[] needle)
{
    private const int BlockLength = 256 * 1024; // fits into the second-level cache: it is searched twice

    // ends differently than it begins, and has no quotation mark at either end: the vectorised search compares both ends
    private static readonly byte[] GapNeedle = "gap\",\"reason"u8.ToArray();

    private byte[] _block = new byte[BlockLength], _next = new byte[BlockLength];
    private Exception? _damage; // kept until the bytes before it have been searched

    /// <summary>Latest time near the end of what was read, ns since the Unix epoch; null when nothing showed it.</summary>
    internal long? LastTime { get; private set; }

    /// <summary>Bytes of content.</summary>
    internal long Bytes { get; private set; }

    /// <summary>Lines too long to be records.</summary>
    internal long TooLong { get; private set; }

    /// <exception cref="ArchiveDamageException">The content is not whole; what there was has been searched.</exception>
    internal void Run(ArchiveBytes source, FoundLine onLine, Action<long>? onProgress, CancellationToken cancellation)
    {
        LastTime = null;
        _damage = null;
        Bytes = TooLong = 0;
        int held = 0, lines = 0; // lines: how much of the last block is whole lines
        bool isSkipping = false;
        try
        {
            for (int read; (read = Fill(source, _next.AsSpan(held))) > 0;)
            {
                cancellation.ThrowIfCancellationRequested();
                (_block, _next) = (_next, _block);
                int filled = held + read;
                Bytes += read;
                lines = _block.AsSpan(0, filled).LastIndexOf((byte)'\n') + 1;
                int first = isSkipping ? _block.AsSpan(0, lines).IndexOf((byte)'\n') + 1 : 0;
                Search(_block.AsSpan(first, lines - first), onLine);
                held = filled - lines;
                bool isTooLong = held == _block.Length;
                TooLong += isTooLong && !isSkipping ? 1 : 0;
                isSkipping = isTooLong || (isSkipping && lines == 0);
                held = isSkipping ? 0 : held;
                _block.AsSpan(lines, held).CopyTo(_next);
                onProgress?.Invoke(read);
            }
        }
        finally
        {
            int tail = Math.Max(0, lines - LogTail.MaxLength);
            LastTime = LogTail.LastTimeIn(_block.AsSpan(tail, lines - tail));
        }
    }

    /// <summary>A decompressor gives little at a time; a block is worth its search when it is full.</summary>
    private int Fill(ArchiveBytes source, Span<byte> free)
    {
        if (_damage is not null)
            ExceptionDispatchInfo.Throw(_damage);
        int filled = 0;
        try
        {
            for (int read; filled < free.Length && (read = source.Read(free[filled..])) > 0;)
                filled += read;
        }
        catch (Exception e) when (filled > 0 && e is (ArchiveDamageException or IOException))
        {
            _damage = e;
        }

        return filled;
    }

    private void Search(ReadOnlySpan<byte> lines, FoundLine onLine)
    {
        while (TryFind(lines, GapNeedle, out int begin, out int end)) // gaps are handed out at their place between the others
        {
            Each(lines[..begin], onLine);
            onLine(lines[begin..end], isGap: true);
            lines = lines[(end + 1)..];
        }

        Each(lines, onLine);
    }

    private void Each(ReadOnlySpan<byte> lines, FoundLine onLine)
    {
        while (TryFind(lines, needle, out int begin, out int end))
        {
            onLine(lines[begin..end], isGap: false);
            lines = lines[(end + 1)..];
        }
    }

    private static bool TryFind(ReadOnlySpan<byte> lines, ReadOnlySpan<byte> text, out int begin, out int end)
    {
        begin = end = 0;
        int found = lines.IndexOf(text);
        if (found < 0)
            return false;
        begin = lines[..found].LastIndexOf((byte)'\n') + 1;
        end = found + lines[found..].IndexOf((byte)'\n');
        return true;
    }
}
