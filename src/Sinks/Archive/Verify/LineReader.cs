namespace ConntrackStream.Sinks.Archive.Verify;

/// <summary>Called with a line without its line feed.</summary>
/// <param name="number">From 1.</param>
internal delegate void NumberedLine(ReadOnlySpan<byte> line, long number);

/// <summary>Hands out each line of a content.</summary>
internal sealed class LineReader
{
    internal const int MaxLine = 64 * 1024; // no record is longer

    private readonly byte[] _buffer = new byte[8 * MaxLine];

    /// <summary>Lines so far.</summary>
    internal long Lines { get; private set; }

    /// <summary>The content ends within a line.</summary>
    internal bool IsTorn { get; private set; }

    /// <param name="onLine">A line that is too long is handed out as far as it fits the buffer, in pieces of one number.</param>
    /// <exception cref="ArchiveDamageException">The content is not whole; the lines before have been handed out.</exception>
    internal void Run(ArchiveBytes source, NumberedLine onLine, Action? onBlock, CancellationToken cancellation)
    {
        Lines = 0;
        int held = 0;
        for (int read; (read = source.Read(_buffer.AsSpan(held))) > 0;)
        {
            cancellation.ThrowIfCancellationRequested();
            ReadOnlySpan<byte> bytes = _buffer.AsSpan(0, held + read);
            for (int end; (end = bytes.IndexOf((byte)'\n')) >= 0; bytes = bytes[(end + 1)..])
                onLine(bytes[..end], ++Lines);
            if (bytes.Length == _buffer.Length)
            {
                onLine(bytes, Lines + 1);
                bytes = default;
            }

            held = bytes.Length;
            bytes.CopyTo(_buffer);
            onBlock?.Invoke();
        }

        IsTorn = held > 0;
    }
}
