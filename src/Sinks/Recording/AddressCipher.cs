using System.Buffers.Binary;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Recording;

/// <summary>
/// Replaces addresses by others of their family: the same one always by the same, and no two by one, which a hash alone could do. A Feistel
/// network of four rounds around the keyed hash; without the key nothing leads back.
/// </summary>
internal sealed class AddressCipher(HashSeed key)
{
    private const int Rounds = 4;

    /// <summary>Replaces four bytes.</summary>
    internal void ReplaceIPv4(Span<byte> address)
    {
        ushort left = BinaryPrimitives.ReadUInt16BigEndian(address), right = BinaryPrimitives.ReadUInt16BigEndian(address[2..]);
        for (ulong round = 0; round < Rounds; round++)
            (left, right) = (right, (ushort)(left ^ Mix(round, FlowFamily.IPv4, right)));
        BinaryPrimitives.WriteUInt16BigEndian(address, left);
        BinaryPrimitives.WriteUInt16BigEndian(address[2..], right);
    }

    /// <summary>Replaces sixteen bytes.</summary>
    internal void ReplaceIPv6(Span<byte> address)
    {
        ulong left = BinaryPrimitives.ReadUInt64BigEndian(address), right = BinaryPrimitives.ReadUInt64BigEndian(address[8..]);
        for (ulong round = 0; round < Rounds; round++)
            (left, right) = (right, left ^ Mix(round, FlowFamily.IPv6, right));
        BinaryPrimitives.WriteUInt64BigEndian(address, left);
        BinaryPrimitives.WriteUInt64BigEndian(address[8..], right);
    }

    private ulong Mix(ulong round, FlowFamily family, ulong half) => new KeyedHash(key).Add(round << 8 | (ulong)family).Add(half).Value;
}
