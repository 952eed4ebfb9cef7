using System.Buffers.Binary;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Sets.Model;
using ConntrackStream.Sinks.Reclassify.Sets.Table;

namespace ConntrackStream.Sinks.Reclassify.Sets.Nfts;

/// <summary>
/// The key of an nftables set: one field, or a concatenation, in which each field takes a multiple of four bytes. Fields are numbers here,
/// as wide as an IPv6 address.
/// </summary>
internal sealed class NftKey
{
    internal const int MaxFields = 5; // NFT_REG32_COUNT allows more, but a key type has room for five
    private const int TypeBits = 6; // TYPE_BITS in nftables' datatype.h

    private readonly NftField[] _fields;
    private readonly FlowFamily _family;
    private readonly bool _ordered;

    private NftKey(NftField[] fields, FlowFamily family, bool ordered)
    {
        _fields = fields;
        _family = family;
        _ordered = ordered;
        Type = string.Join(" . ", fields.Select(field => field.Name()));
        foreach (NftField field in fields)
            Length += _fields.Length == 1 ? field.Bytes() : EventTap.Netlink.Nlmsg.Align(field.Bytes());
    }

    internal int Count => _fields.Length;

    /// <summary>NFTA_SET_KEY_LEN</summary>
    internal int Length { get; }

    /// <summary>As nft writes it.</summary>
    internal string Type { get; }

    /// <summary>Of the flows that it matches; unspecified for both.</summary>
    internal FlowFamily Family =>
        _family != FlowFamily.Unspecified ? _family
        : Array.Exists(_fields, one => one == NftField.IPv4) ? FlowFamily.IPv4
        : Array.Exists(_fields, one => one == NftField.IPv6) ? FlowFamily.IPv6
        : FlowFamily.Unspecified;

    /// <summary>Whether a key fits 64 bits.</summary>
    internal bool IsNarrow =>
        !_fields.Contains(NftField.IPv6)
            && _fields.Sum(one => one.Bytes()) <= 8
            && (Addresses, Extras) is (0, _) or (1, <= 4) or (2, 0);

    private int Addresses => _fields.Count(one => one.IsAddress());

    private int Extras => _fields.Sum(one => one.IsAddress() ? 0 : one.Bytes());

    /// <param name="keyType">NFTA_SET_KEY_TYPE: for a concatenation six bits a field, the first one uppermost.</param>
    /// <param name="family">Of the table's flows.</param>
    /// <param name="isInterval">nft sends marks in network order where they are compared by order, else in the machine's.</param>
    /// <param name="problem">Why flows cannot be looked up; null when they can.</param>
    internal static NftKey? Create(uint keyType, uint keyLength, FlowFamily family, bool isInterval, out string? problem)
    {
        List<NftField> fields = [];
        for (uint rest = keyType; rest != 0 || fields.Count == 0; rest >>= TypeBits)
        {
            uint type = keyType < 1 << TypeBits ? keyType : rest & ((1 << TypeBits) - 1);
            problem = NftFields.WhyNot(type);
            if (problem is not null)
                return null;
            fields.Insert(0, (NftField)type);
        }

        NftKey key = new([.. fields], family, isInterval);
        problem = key.Length != keyLength ? $"has a key of {keyLength} bytes, which its type does not explain"
            : key.Addresses > 2 || key.Extras > 8 ? "compares more than a flow has"
            : null;
        return problem is null ? key : null;
    }

    /// <summary>The flow's fields.</summary>
    /// <returns>False when no packet of such a flow could match.</returns>
    internal bool TryOf(in FlowQuestion question, SetDirections directions, Span<UInt128> values)
    {
        FlowTuple flow = question.Original;
        if (_family != FlowFamily.Unspecified && _family != flow.Family)
            return false;
        for (int i = 0; i < _fields.Length; i++)
        {
            bool source = directions.IsSource(i);
            switch (_fields[i])
            {
                case NftField.IPv4 when flow.Family == FlowFamily.IPv4:
                case NftField.IPv6 when flow.Family == FlowFamily.IPv6:
                    IpAddress address = FlowPorts.Address(flow, source);
                    values[i] = new UInt128(address.High, address.Low);
                    break;
                case NftField.Protocol:
                    values[i] = (byte)flow.Protocol;
                    break;
                case NftField.Service when flow.Protocol.HasPorts():
                    values[i] = source ? flow.SourcePort : flow.DestinationPort;
                    break;
                case NftField.Mark:
                    values[i] = question.Mark;
                    break;
                default:
                    return false;
            }
        }

        return true;
    }

    /// <summary>A member's fields, from NFTA_DATA_VALUE.</summary>
    internal bool TryRead(ReadOnlySpan<byte> bytes, Span<UInt128> values)
    {
        if (bytes.Length != Length)
            return false;
        foreach (NftField field in _fields)
        {
            values[0] = field switch
            {
                NftField.IPv4 => BinaryPrimitives.ReadUInt32BigEndian(bytes),
                NftField.IPv6 => BinaryPrimitives.ReadUInt128BigEndian(bytes),
                NftField.Protocol => bytes[0],
                NftField.Service => BinaryPrimitives.ReadUInt16BigEndian(bytes),
                _ => _ordered ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes),
            };
            values = values[1..];
            bytes = bytes[Math.Min(EventTap.Netlink.Nlmsg.Align(field.Bytes()), bytes.Length)..];
        }

        return true;
    }

    /// <param name="bytes">Zeroed, of <see cref="Length"/>.</param>
    internal void Write(ReadOnlySpan<UInt128> values, Span<byte> bytes)
    {
        for (int i = 0; i < _fields.Length; i++)
        {
            switch (_fields[i])
            {
                case NftField.IPv6:
                    BinaryPrimitives.WriteUInt128BigEndian(bytes, values[i]);
                    break;
                case NftField.Protocol:
                    bytes[0] = (byte)values[i];
                    break;
                case NftField.Service:
                    BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)values[i]);
                    break;
                case NftField.Mark when !_ordered:
                    BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)values[i]);
                    break;
                default:
                    BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)values[i]);
                    break;
            }

            bytes = bytes[Math.Min(EventTap.Netlink.Nlmsg.Align(_fields[i].Bytes()), bytes.Length)..];
        }
    }

    /// <summary>One key of all fields: addresses first, what remains shifted together.</summary>
    internal SetKey Pack(ReadOnlySpan<UInt128> values)
    {
        IpAddress a = default, b = default;
        ulong extra = 0;
        int addresses = 0;
        for (int i = 0; i < _fields.Length; i++)
        {
            if (!_fields[i].IsAddress())
                extra = extra << (8 * _fields[i].Bytes()) | (ulong)values[i];
            else if (addresses++ == 0)
                a = ToAddress(values[i]);
            else
                b = ToAddress(values[i]);
        }

        return new SetKey(a, b, extra);
    }

    /// <summary>Addresses of flows that members between two keys concern, by the first address; null: any.</summary>
    internal AddressRange? RangeOf(ReadOnlySpan<UInt128> first, ReadOnlySpan<UInt128> last)
    {
        for (int i = 0; i < _fields.Length; i++)
        {
            if (_fields[i].IsAddress())
                return new AddressRange(
                    _fields[i] == NftField.IPv6 ? FlowFamily.IPv6 : FlowFamily.IPv4, ToAddress(first[i]), ToAddress(last[i]));
        }

        return null;
    }

    /// <summary>The greatest value of the only field.</summary>
    internal UInt128 Greatest => UInt128.MaxValue >> (128 - (8 * _fields[0].Bytes()));

    /// <summary>Whether field values fit 32 bits.</summary>
    internal bool IsShort => !_fields.Contains(NftField.IPv6);

    private static IpAddress ToAddress(UInt128 value) => new((ulong)(value >> 64), (ulong)value);
}
