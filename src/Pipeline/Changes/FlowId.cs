using System.Buffers.Binary;

namespace ConntrackStream.Pipeline.Changes;

/// <summary>
/// Identity of one incarnation of a flow, for ever: the service instance that minted it and a running number. No hashing, no allocation.
/// Shown as a UUID version 8 (RFC 9562, 5.8): 48 + 12 bits of instance, 62 bits of sequence.
/// </summary>
public readonly record struct FlowId(ulong Instance, ulong Sequence)
{
    public bool IsNone => Instance == 0 && Sequence == 0;

    /// <summary>The UUID's last eight bytes: variant and sequence. The first eight are the same for all ids of an instance.</summary>
    public ulong SecondHalf => 0x8000_0000_0000_0000 | (Sequence & 0x3FFF_FFFF_FFFF_FFFF);

    /// <summary>As the flow log shows it.</summary>
    public override string ToString() => ToGuid().ToString();

    /// <summary>Reads what <see cref="ToString"/> writes, in either case.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out FlowId id)
    {
        id = default;
        Span<byte> bytes = stackalloc byte[16];
        if (!Guid.TryParseExact(text, "D", out Guid guid) || !guid.TryWriteBytes(bytes, bigEndian: true, out _))
            return false;
        ulong high = BinaryPrimitives.ReadUInt64BigEndian(bytes), low = BinaryPrimitives.ReadUInt64BigEndian(bytes[sizeof(ulong)..]);
        if ((high & 0xF000) != 0x8000 || low >> 62 != 0b10)
            return false; // another version or variant
        id = new FlowId((high >> 4 & 0x0FFF_FFFF_FFFF_F000) | (high & 0xFFF), low & 0x3FFF_FFFF_FFFF_FFFF);
        return true;
    }

    /// <summary>
    /// The UUID: instance (60 bits) in the upper half around the version, sequence (62 bits) in the lower around the variant.
    /// </summary>
    public Guid ToGuid()
    {
        ulong high = (Instance << 4 & 0xFFFF_FFFF_FFFF_0000) | 0x8000 | (Instance & 0xFFF);
        ulong low = SecondHalf;
        return new Guid(
            (uint)(high >> 32), (ushort)(high >> 16), (ushort)high,
            (byte)(low >> 56), (byte)(low >> 48), (byte)(low >> 40), (byte)(low >> 32),
            (byte)(low >> 24), (byte)(low >> 16), (byte)(low >> 8), (byte)low);
    }
}
