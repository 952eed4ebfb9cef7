using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Sinks.Archive;

/// <summary>
/// A compressed file. Where a decompressor comes upon damage it throws, and does not say how much it had written before that. So the
/// content is read a second time up to the last whole read, and from there byte by byte: every byte before the damage is handed out.
/// </summary>
internal abstract class InflatedBytes(SafeFileHandle file, long length, Func<RangeStream, Stream> decompressor) : ArchiveBytes
{
    private readonly RangeStream _input = new(file, length);
    private readonly Func<RangeStream, Stream> _decompressor = decompressor;
    private Stream? _output; // of the input, until there is damage
    private ArchiveDamageException? _damage;

    internal override long Consumed => _input.Position;

    protected SafeFileHandle File { get; } = file;

    /// <summary>Of the file, compressed.</summary>
    protected long Length { get; } = length;

    /// <summary>Bytes of content so far.</summary>
    protected long Total { get; private set; }

    internal override int Read(Span<byte> buffer)
    {
        if (_damage is not null)
            throw _damage;
        int read;
        try
        {
            read = (_output ??= _decompressor(_input)).Read(buffer);
            if (read == 0 && buffer.Length > 0)
                CheckEnd();
        }
        catch (Exception e) when (DamageOf(e) is { } damage)
        {
            _damage = damage;
            read = e is EndOfStreamException ? 0 : Before(buffer); // at the end of the file everything has been handed out
            if (read == 0)
                throw _damage;
        }

        Total += read;
        return read;
    }

    public override void Dispose() => _output?.Dispose();

    /// <summary>The same content from its beginning.</summary>
    protected Stream Again() => _decompressor(new RangeStream(File, Length));

    /// <returns>Null: it is no damage of the content.</returns>
    protected abstract ArchiveDamageException? DamageOf(Exception failure);

    /// <summary>The decompressor has found no fault, and says that this is the end.</summary>
    /// <exception cref="ArchiveDamageException">It is not.</exception>
    protected virtual void CheckEnd()
    {
    }

    /// <returns>Bytes between what has been handed out and the damage: the read that met it had room for them.</returns>
    private int Before(Span<byte> buffer)
    {
        _output!.Dispose(); // its window may be 8 MiB
        using Stream again = _output = Again();
        long at = 0;
        int filled = 0;
        try
        {
            while (at < Total - 1) // all but one byte: a decompressor that has made the last may look at what comes behind it
                at += again.ReadAtLeast(buffer[..(int)Math.Min(buffer.Length, Total - 1 - at)], 1);
            for (; filled < buffer.Length; at++)
            {
                if (!TryByte(again, out byte next))
                    break;
                if (at >= Total)
                    buffer[filled++] = next;
            }
        }
        catch (Exception e) when (e is EndOfStreamException || DamageOf(e) is not null)
        {
            return 0; // the file has changed meanwhile
        }

        return filled;
    }

    /// <summary>A byte may be written and the damage behind it be met at once. No log has the byte zero.</summary>
    private bool TryByte(Stream stream, out byte next)
    {
        Span<byte> one = [0];
        try
        {
            if (stream.Read(one) == 0)
                one[0] = 0;
        }
        catch (Exception e) when (DamageOf(e) is not null)
        {
            // what it has written before is in its place
        }

        next = one[0];
        return next != 0;
    }
}
