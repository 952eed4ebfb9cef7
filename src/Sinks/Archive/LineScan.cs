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
internal sealed class LineScan
{
    private const int BlockLength = 256 * 1024; // fits into the second-level cache
    private const int ZeroRun = 512; // a sector: what is left unwritten is no smaller
    private const int SampleLength = 4096; // to know which bytes are rare

    private byte[] _block = new byte[BlockLength], _next = new byte[BlockLength];
    private Exception? _damage; // kept until the bytes before it have been searched
    private long _begin; // of the block, in the content
    private LineNeedles _needles = LineNeedles.AllLines;

    /// <summary>Latest time in the last 64 KiB of what was read, ns since the Unix epoch; null when nothing showed it.</summary>
    internal long? LastTime { get; private set; }

    /// <summary>Where in the content the line begins that is being handed out.</summary>
    internal long LineAt { get; private set; }

    /// <summary>Bytes of content.</summary>
    internal long Bytes { get; private set; }

    /// <summary>Lines too long to be records.</summary>
    internal long TooLong { get; private set; }

    /// <summary>Something follows the last line feed.</summary>
    internal bool IsTorn { get; private set; }

    /// <summary>It has a sector, or more, of bytes that are zero, as a power failure leaves them in place of what was written.</summary>
    internal bool HasZeros { get; private set; }

    /// <param name="takesTorn">What follows the last line feed is searched, too: no more of it will come.</param>
    /// <exception cref="ArchiveDamageException">The content is not whole; what there was has been searched.</exception>
    internal void Run(
        ArchiveBytes source, LineNeedles needles, FoundLine onLine, Action<long>? onProgress, CancellationToken cancellation,
        bool takesTorn = false)
    {
        _needles = needles;
        LastTime = null;
        _damage = null;
        Bytes = TooLong = 0;
        IsTorn = HasZeros = false;
        NeedleFinder? finder = null;
        int held = 0, lines = 0, before = 0; // lines: how much of the last block is whole lines; before: of the one before it
        bool isSkipping = false;
        try
        {
            for (int read; (read = Fill(source, _next.AsSpan(held))) > 0;)
            {
                cancellation.ThrowIfCancellationRequested();
                (_block, _next) = (_next, _block);
                before = lines;
                int filled = held + read;
                Bytes += read;
                HasZeros |= HasZeroRun(_block.AsSpan(held, read));
                lines = _block.AsSpan(0, filled).LastIndexOf((byte)'\n') + 1;
                _begin = Bytes - filled;
                int first = isSkipping ? _block.AsSpan(0, lines).IndexOf((byte)'\n') + 1 : 0;
                finder ??= new NeedleFinder(needles, _block.AsSpan(0, Math.Min(filled, SampleLength)));
                Search(first, lines, finder, onLine);
                held = filled - lines;
                bool isTooLong = held == _block.Length;
                TooLong += isTooLong && !isSkipping ? 1 : 0;
                isSkipping = isTooLong || (isSkipping && lines == 0);
                held = isSkipping ? 0 : held;
                _block.AsSpan(lines, held).CopyTo(_next);
                onProgress?.Invoke(read);
            }

            IsTorn = held > 0 || isSkipping;
            if (takesTorn && held > 0)
            {
                LineAt = Bytes - held;
                needles.HandOut(_next.AsSpan(0, held), onLine);
            }
        }
        finally
        {
            LastTime = LastTimeIn(lines, before, held);
        }
    }

    /// <summary>
    /// The same wherever the blocks end: of a short last block, with the end of the one before it. That one's beginning has been
    /// overwritten by the half line behind the last.
    /// </summary>
    private long? LastTimeIn(int lines, int before, int held)
    {
        int tail = Math.Max(0, lines - LogTail.MaxLength);
        long? last = LogTail.LastTimeIn(_block.AsSpan(tail, lines - tail));
        int more = Math.Min(Math.Max(0, LogTail.MaxLength - lines), Math.Max(0, before - held));
        long? earlier = more == 0 ? null : LogTail.LastTimeIn(_next.AsSpan(before - more, more));
        return last is null || earlier > last ? earlier : last;
    }

    /// <summary>Looks at one byte of so many.</summary>
    private static bool HasZeroRun(ReadOnlySpan<byte> bytes)
    {
        for (int at = 0; at < bytes.Length; at += ZeroRun)
        {
            if (bytes[at] == 0)
                return true;
        }

        return false;
    }

    private int Fill(ArchiveBytes source, Span<byte> free)
    {
        if (_damage is not null)
            ExceptionDispatchInfo.Throw(_damage);
        return source.Fill(free, out _damage);
    }

    private void Search(int begin, int end, NeedleFinder finder, FoundLine onLine)
    {
        while (finder.Find(_block.AsSpan(begin, end - begin)) is var found and >= 0)
        {
            int from = begin + _block.AsSpan(begin, found).LastIndexOf((byte)'\n') + 1;
            int length = _block.AsSpan(from, end - from).IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = _block.AsSpan(from, length);
            LineAt = _begin + from;
            onLine(line, line.IndexOf(_needles.Gap) >= 0);
            begin = from + length + 1;
        }
    }
}
