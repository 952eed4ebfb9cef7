namespace ConntrackStream.Sinks.Archive;

/// <summary>CRC-32 of gzip (RFC 1952, 8): reflected polynomial 0xEDB88320.</summary>
internal struct Crc32()
{
    private static readonly uint[] Table = [.. Enumerable.Range(0, 256).Select(static value => OfByte((uint)value))];

    private uint _state = uint.MaxValue;

    internal readonly uint Value => ~_state;

    internal void Add(ReadOnlySpan<byte> bytes)
    {
        uint state = _state;
        foreach (byte value in bytes)
            state = Table[(byte)(state ^ value)] ^ state >> 8;
        _state = state;
    }

    private static uint OfByte(uint value)
    {
        for (int bit = 0; bit < 8; bit++)
            value = (value & 1) != 0 ? value >> 1 ^ 0xEDB8_8320 : value >> 1;
        return value;
    }
}
