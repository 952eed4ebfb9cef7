using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Sets.Model;
using ConntrackStream.Sinks.Reclassify.Sets.Table;

namespace ConntrackStream.Sinks.Reclassify.Sets.Ipsets;

/// <summary>
/// Keys of one set: what its members and a flow have in common. Extra is port | protocol &lt;&lt; 16 | length of A &lt;&lt; 24 | length of
/// B &lt;&lt; 32, or the mark.
/// </summary>
internal sealed class IpsetKey(IpsetHeader header, IpsetShape shape)
{
    private readonly IpAddress _maskA = header.Mask ?? AddressMask.Full(header.Family);
    private readonly IpAddress _maskB =
        shape.A == IpsetAddress.Net && shape.B == IpsetAddress.Net && header.Mask is { } mask ? mask : AddressMask.Full(header.Family);

    internal FlowFamily Family => header.Family;

    internal IpsetShape Shape => shape;

    internal IpsetHeader Header => header;

    /// <summary>Whether a key fits 64 bits.</summary>
    internal bool IsNarrow => header.Family != FlowFamily.IPv6 && shape.B == IpsetAddress.None;

    /// <summary>Prefix lengths of a member, A's above B's: in falling order, as the kernel tries them. 0 for types without nets.</summary>
    internal ushort LengthsOf(in IpsetElement element)
    {
        byte full = AddressMask.FullLength(header.Family);
        int a = shape.A == IpsetAddress.Net ? Math.Min(element.LengthA ?? full, full) : 0;
        int b = shape.B == IpsetAddress.Net ? Math.Min(element.LengthB ?? full, full) : 0;
        return (ushort)(a << 8 | b);
    }

    /// <summary>Prefix lengths in a key of this set.</summary>
    internal ushort LengthsOf(in SetKey key) =>
        shape.HasNets ? (ushort)((key.Extra >> 24 & 0xff) << 8 | (key.Extra >> 32 & 0xff)) : (ushort)0;

    internal SetKey Of(in IpsetElement element)
    {
        ulong extra = shape.Mark ? element.Mark : element.Port | (ulong)element.Protocol << 16;
        return WithLengths(new SetKey(element.A, element.B, extra), LengthsOf(element));
    }

    /// <summary>The flow's key before masking by prefix lengths.</summary>
    /// <returns>False when no packet of such a flow could match, whatever the set holds.</returns>
    internal bool TryOf(in FlowQuestion question, SetDirections directions, out SetKey key)
    {
        FlowTuple flow = question.Original;
        key = default;
        if (header.Family != FlowFamily.Unspecified && header.Family != flow.Family)
            return false;
        IpAddress a = default, b = default;
        if (shape.A != IpsetAddress.None)
            a = AddressMask.And(FlowPorts.Address(flow, directions.IsSource(0)), _maskA);
        if (shape.B != IpsetAddress.None)
            b = AddressMask.And(FlowPorts.Address(flow, directions.IsSource(shape.IndexOfB)), _maskB);
        ulong extra = 0;
        if (shape.Mark)
            extra = question.Mark & header.MarkMask;
        else if (shape.Port)
            extra = FlowPorts.IpsetPort(flow, directions.IsSource(shape.IndexOfPort)) | (ulong)flow.Protocol << 16;
        key = new SetKey(a, b, extra);
        return shape.Limit switch
        {
            IpsetLimit.AddressRange => IsBetween((uint)FlowPorts.Address(flow, directions.IsSource(0)).Low),
            IpsetLimit.PortRange => TryBitmapPort(flow, ref key),
            IpsetLimit.NotZero => a != default,
            _ => true,
        };
    }

    /// <summary>The key of the net of these lengths that a flow is in.</summary>
    internal SetKey WithLengths(in SetKey key, ushort lengths)
    {
        if (!shape.HasNets)
            return key;
        int a = lengths >> 8, b = lengths & 0xff;
        return new SetKey(
            shape.A == IpsetAddress.Net ? AddressMask.And(key.A, AddressMask.OfLength(a, header.Family)) : key.A,
            shape.B == IpsetAddress.Net ? AddressMask.And(key.B, AddressMask.OfLength(b, header.Family)) : key.B,
            key.Extra | (ulong)a << 24 | (ulong)b << 32);
    }

    /// <summary>Addresses of flows that a member concerns; null: any, it has no address.</summary>
    internal AddressRange? RangeOf(in SetKey key)
    {
        if (shape.A == IpsetAddress.None)
            return null;
        ushort lengths = LengthsOf(key);
        IpAddress mask = shape.A == IpsetAddress.Net ? AddressMask.And(_maskA, AddressMask.OfLength(lengths >> 8, header.Family)) : _maskA;
        AddressRange a = new(header.Family, key.A, AddressMask.Last(key.A, mask, header.Family));
        if (shape.B == IpsetAddress.None)
            return a;
        mask = shape.B == IpsetAddress.Net ? AddressMask.And(_maskB, AddressMask.OfLength(lengths & 0xff, header.Family)) : _maskB;
        AddressRange b = new(header.Family, key.B, AddressMask.Last(key.B, mask, header.Family));
        return IsNarrower(b, a) ? b : a;
    }

    private static bool IsNarrower(in AddressRange left, in AddressRange right) => Width(left) < Width(right);

    private static UInt128 Width(in AddressRange range) =>
        new UInt128(range.Last.High, range.Last.Low) - new UInt128(range.First.High, range.First.Low);

    private bool IsBetween(uint value) => value >= header.First && value <= header.Last;

    /// <summary>bitmap:port holds ports alone, of TCP and UDP (ip_set_get_ip_port in ip_set_bitmap_port.c).</summary>
    private bool TryBitmapPort(in FlowTuple flow, ref SetKey key)
    {
        uint port = (ushort)key.Extra;
        key = new SetKey(default, default, port);
        return flow.Protocol is IpProtocol.Tcp or IpProtocol.Udp && IsBetween(port);
    }
}
