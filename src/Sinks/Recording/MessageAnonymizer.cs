using System.Buffers.Binary;
using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.Sinks.Recording;

/// <summary>
/// Replaces the addresses in conntrack events, in place: of both tuples and of the master's. Ports, states, counters and marks stay. What
/// an attribute that is not known here holds might be an address, and is overwritten with zeros.
/// </summary>
internal sealed class MessageAnonymizer(AddressCipher cipher)
{
    private const int AttributeHeaderLength = 4; // struct nlattr
    private const int Addresses = 1; // CTA_TUPLE_IP
    private const int SourceIPv4 = 1, DestinationIPv4 = 2, SourceIPv6 = 3, DestinationIPv6 = 4; // CTA_IP_V4_SRC …
    private const int FirstUnknown = 28; // behind CTA_TIMESTAMP_EVENT
    private const int Helper = 5; // CTA_HELP: its name, and CTA_HELP_INFO, which is the helper's own

    private static ReadOnlySpan<byte> Tuples => [1, 2, 14]; // CTA_TUPLE_ORIG, CTA_TUPLE_REPLY, CTA_TUPLE_MASTER

    private static ReadOnlySpan<byte> Translations => [6, 13]; // CTA_NAT_SRC, CTA_NAT_DST: no event has them

    /// <summary>Replaces all addresses of one datagram.</summary>
    /// <returns>False: a length in it is wrong, so that addresses may be left; it must not be written.</returns>
    internal bool TryReplace(Span<byte> datagram)
    {
        while (!datagram.IsEmpty)
        {
            if (datagram.Length < Nlmsg.HeaderLength + Nfnl.HeaderLength)
                return false;
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(datagram); // nlmsg_len
            if (length < Nlmsg.HeaderLength + Nfnl.HeaderLength || length > (uint)datagram.Length
                || datagram[5] != Nfnl.NFNL_SUBSYS_CTNETLINK // nlmsg_type's upper byte
                || !TryReplaceMessage(datagram[(Nlmsg.HeaderLength + Nfnl.HeaderLength)..(int)length]))
                return false;
            datagram = datagram[Math.Min(Nlmsg.Align((int)length), datagram.Length)..];
        }

        return true;
    }

    private bool TryReplaceMessage(Span<byte> attributes)
    {
        while (TryNext(ref attributes, out int type, out Span<byte> value))
        {
            if (type is >= FirstUnknown or Helper || Translations.Contains((byte)type))
                Erase(type, value);
            else if (Tuples.Contains((byte)type) && !TryReplaceTuple(value))
                return false;
        }

        return attributes.IsEmpty;
    }

    /// <summary>A helper's name may stay: zeros in its place are an empty name.</summary>
    private static void Erase(int type, Span<byte> value)
    {
        if (type != Helper)
        {
            value.Clear();
            return;
        }

        while (TryNext(ref value, out int inner, out Span<byte> part))
        {
            if (inner != 1) // CTA_HELP_NAME
                part.Clear();
        }

        value.Clear(); // what could not be read
    }

    private bool TryReplaceTuple(Span<byte> tuple)
    {
        while (TryNext(ref tuple, out int type, out Span<byte> value))
        {
            if (type != Addresses)
                continue;
            while (TryNext(ref value, out int which, out Span<byte> address))
            {
                if (which is SourceIPv4 or DestinationIPv4 && address.Length == 4)
                    cipher.ReplaceIPv4(address);
                else if (which is SourceIPv6 or DestinationIPv6 && address.Length == 16)
                    cipher.ReplaceIPv6(address);
                else
                    address.Clear();
            }

            if (!value.IsEmpty)
                return false;
        }

        return tuple.IsEmpty;
    }

    /// <summary>The next attribute. False at the end, when nothing is left, or at a bad length.</summary>
    private static bool TryNext(ref Span<byte> attributes, out int type, out Span<byte> value)
    {
        type = 0;
        value = default;
        if (attributes.Length < AttributeHeaderLength)
            return false;
        int length = BinaryPrimitives.ReadUInt16LittleEndian(attributes); // nla_len
        if (length < AttributeHeaderLength || length > attributes.Length)
            return false;
        type = BinaryPrimitives.ReadUInt16LittleEndian(attributes[2..]) & Nlmsg.NLA_TYPE_MASK; // nla_type
        value = attributes[AttributeHeaderLength..length];
        attributes = attributes[Math.Min(Nlmsg.Align(length), attributes.Length)..];
        return true;
    }
}
