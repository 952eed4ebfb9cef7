using System.Buffers.Binary;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Service.Demo.Race;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>The agent's keys as bytes: addresses in network order, ports and ifindex in host order, the rest zero.</summary>
internal sealed record RawMapLayout(FlowFamily Family, AgentKeyLayout At)
{
    internal static readonly RawMapLayout V4 = new(FlowFamily.IPv4, AgentKeyLayout.V4);
    internal static readonly RawMapLayout V6 = new(FlowFamily.IPv6, AgentKeyLayout.V6);

    internal int Length => At.Length;

    internal void Encode(in MapKey key, Span<byte> to)
    {
        to.Clear();
        key.Tuple.Source.WriteTo(to, Family);
        BinaryPrimitives.WriteUInt16LittleEndian(to[At.SourcePort..], key.Tuple.SourcePort);
        key.Tuple.Destination.WriteTo(to[At.Destination..], Family);
        BinaryPrimitives.WriteUInt16LittleEndian(to[At.DestinationPort..], key.Tuple.DestinationPort);
        to[At.Protocol] = (byte)key.Tuple.Protocol;
        key.Owner.WriteTo(to[At.Owner..], Family);
        BinaryPrimitives.WriteUInt32LittleEndian(to[At.InterfaceIndex..], key.InterfaceIndex);
    }

    /// <summary>False for a key that no agent makes: something in its padding, or an owner that is neither end.</summary>
    internal bool TryDecode(ReadOnlySpan<byte> from, out MapKey key)
    {
        FlowTuple tuple = new()
        {
            Family = Family,
            Source = Address(from),
            SourcePort = BinaryPrimitives.ReadUInt16LittleEndian(from[At.SourcePort..]),
            Destination = Address(from[At.Destination..]),
            DestinationPort = BinaryPrimitives.ReadUInt16LittleEndian(from[At.DestinationPort..]),
            Protocol = (IpProtocol)from[At.Protocol],
        };
        key = new MapKey(tuple, Address(from[At.Owner..]), BinaryPrimitives.ReadUInt32LittleEndian(from[At.InterfaceIndex..]));
        Span<byte> clean = stackalloc byte[Length];
        Encode(key, clean);
        return clean.SequenceEqual(from) && (key.Owner == tuple.Source || key.Owner == tuple.Destination);
    }

    private IpAddress Address(ReadOnlySpan<byte> from) => Family == FlowFamily.IPv6 ? IpAddress.FromIPv6(from) : IpAddress.FromIPv4(from);
}
