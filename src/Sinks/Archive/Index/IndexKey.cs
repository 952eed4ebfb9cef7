using System.Buffers.Binary;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Archive.Index;

/// <summary>What flows are found by.</summary>
internal static class IndexKey
{
    /// <summary>The same in each process. Addresses with the same hash are found together: their lines are read in vain.</summary>
    internal static uint Of(FlowFamily family, IpAddress address)
    {
        ulong hash = (address.High * 0x9E37_79B9_7F4A_7C15) ^ ((address.Low + (ulong)family) * 0xC2B2_AE3D_27D4_EB4F);
        hash ^= hash >> 29;
        hash *= 0xBF58_476D_1CE4_E5B9;
        return (uint)(hash >> 32);
    }

    /// <summary>Of an end of a flow: the address, then the port, which ICMP has not.</summary>
    internal static ulong Of(in FlowTuple tuple, bool isSource) =>
        (ulong)Of(tuple.Family, isSource ? tuple.Source : tuple.Destination) << 16
        | (tuple.IsIcmp ? (ushort)0 : isSource ? tuple.SourcePort : tuple.DestinationPort);
}

/// <summary>A flow's id and who gave it, as <see cref="Who.LifeKey"/> has them.</summary>
/// <param name="Instance">First half of the id: one run of the service.</param>
/// <param name="Writer">Hash of host and namespace.</param>
/// <param name="Number">Second half of the id: a running number.</param>
internal readonly record struct IndexedId(ulong Instance, ulong Writer, ulong Number)
{
    internal static IndexedId Of(Guid id, string? host, string? networkNamespace)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        return new IndexedId(
            BinaryPrimitives.ReadUInt64BigEndian(bytes), WriterOf(host, networkNamespace),
            BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));
    }

    private static ulong WriterOf(string? host, string? networkNamespace) => Hash(networkNamespace, Hash(host, 0xCBF2_9CE4_8422_2325));

    private static ulong Hash(string? text, ulong hash) // FNV-1a
    {
        foreach (char character in text ?? "\u0001")
            hash = (hash ^ character) * 0x100_0000_01B3;
        return (hash ^ 0xFFFF_FFFF) * 0x100_0000_01B3;
    }
}
