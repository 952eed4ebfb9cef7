using System.Buffers.Binary;
using System.Numerics;

namespace ConntrackStream.Pipeline.Checkpoint;

/// <summary>The checksum of the service's own files: CRC-32C (RFC 3720, appendix B.4) without the inversions at begin and end.</summary>
public static class Crc32C
{
    /// <summary>Continues a checksum; the first call begins with 0.</summary>
    public static uint Append(uint state, ReadOnlySpan<byte> data)
    {
        for (; data.Length >= sizeof(ulong); data = data[sizeof(ulong)..])
            state = BitOperations.Crc32C(state, BinaryPrimitives.ReadUInt64LittleEndian(data));
        foreach (byte value in data)
            state = BitOperations.Crc32C(state, value);
        return state;
    }
}
