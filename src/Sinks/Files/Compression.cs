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
    internal const int Length = 4;

    internal static Compression Of(ReadOnlySpan<byte> begin) =>
        begin.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]) ? Compression.Gzip
        : begin.StartsWith((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD]) ? Compression.Zstandard
        : Compression.None;
}
