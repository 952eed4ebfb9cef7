using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Sinks.Archive;

/// <summary>
/// A range of a file that is not compressed. It is read, never mapped: a map of a log that somebody truncates kills the process (SIGBUS).
/// </summary>
internal sealed class PlainBytes(SafeFileHandle file, long begin, long end) : ArchiveBytes
{
    private long _at = begin;
    private long _consumed;

    internal override long Consumed => _consumed;

    internal override long Skip(long count, Span<byte> scratch)
    {
        _at += count;
        return 0;
    }

    internal override int Read(Span<byte> buffer)
    {
        int wanted = (int)Math.Min(buffer.Length, end - _at);
        if (wanted <= 0)
            return 0;
        int read = RandomAccess.Read(file, buffer[..wanted], _at);
        if (read == 0)
            throw new ArchiveDamageException("became shorter while it was read");
        _at += read;
        _consumed += read;
        return read;
    }
}
