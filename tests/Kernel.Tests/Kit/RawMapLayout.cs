using System.Buffers.Binary;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Delete;

namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>
/// Where the agent's keys have what: struct conntrack_key of its datapath, source address first. Addresses are in network order, ports and
/// ifindex in host order, the rest is zero.
/// </summary>
internal sealed record RawMapLayout(
    FlowFamily Family, int AddressLength, int SourcePort, int Destination, int DestinationPort, int Protocol, int Owner, int InterfaceIndex,
    int Length)
{
    internal static readonly RawMapLayout V4 = new(FlowFamily.IPv4, 4, 4, 8, 12, 14, 16, 20, 24);
    internal static readonly RawMapLayout V6 = new(FlowFamily.IPv6, 16, 16, 20, 36, 38, 40, 56, 60);

    internal void Encode(in MapKey key, Span<byte> to)
    {
        to.Clear();
        key.Tuple.Source.WriteTo(to, Family);
        BinaryPrimitives.WriteUInt16LittleEndian(to[SourcePort..], key.Tuple.SourcePort);
        key.Tuple.Destination.WriteTo(to[Destination..], Family);
        BinaryPrimitives.WriteUInt16LittleEndian(to[DestinationPort..], key.Tuple.DestinationPort);
        to[Protocol] = (byte)key.Tuple.Protocol;
        key.Owner.WriteTo(to[Owner..], Family);
        BinaryPrimitives.WriteUInt32LittleEndian(to[InterfaceIndex..], key.InterfaceIndex);
    }

    /// <summary>False for a key that no agent makes: something in its padding, or an owner that is neither end.</summary>
    internal bool TryDecode(ReadOnlySpan<byte> from, out MapKey key)
    {
        FlowTuple tuple = new()
        {
            Family = Family,
            Source = Address(from),
            SourcePort = BinaryPrimitives.ReadUInt16LittleEndian(from[SourcePort..]),
            Destination = Address(from[Destination..]),
            DestinationPort = BinaryPrimitives.ReadUInt16LittleEndian(from[DestinationPort..]),
            Protocol = (IpProtocol)from[Protocol],
        };
        key = new MapKey(tuple, Address(from[Owner..]), BinaryPrimitives.ReadUInt32LittleEndian(from[InterfaceIndex..]));
        Span<byte> clean = stackalloc byte[Length];
        Encode(key, clean);
        return clean.SequenceEqual(from) && (key.Owner == tuple.Source || key.Owner == tuple.Destination);
    }

    private IpAddress Address(ReadOnlySpan<byte> from) => Family == FlowFamily.IPv6 ? IpAddress.FromIPv6(from) : IpAddress.FromIPv4(from);
}
