using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Sinks.Files;

/// <summary>How a file is stored, by its first bytes.</summary>
internal enum Compression : byte
{
    None,
    Gzip, // RFC 1952
    Zstandard, // RFC 8878
}

internal static class CompressionMagic
{
    private const int Length = 4;

    /// <exception cref="IOException">It cannot be read.</exception>
    internal static Compression Of(SafeFileHandle file)
    {
        Span<byte> begin = stackalloc byte[Length];
        return Of(begin[..RandomAccess.Read(file, begin, fileOffset: 0)]);
    }

    internal static Compression Of(ReadOnlySpan<byte> begin) =>
        begin.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]) ? Compression.Gzip
        : begin.StartsWith((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD]) ? Compression.Zstandard
        : Compression.None;
}
