using System.Runtime.InteropServices;
using System.Text;

namespace ConntrackStream.EventTap.Netlink;

/// <summary>An NLMSG_ERROR (struct nlmsgerr): an acknowledgement when <see cref="Errno"/> is none.</summary>
/// <param name="Text">NLMSGERR_ATTR_MSG, which the kernel gives for some failures to sockets with NETLINK_EXT_ACK.</param>
public readonly record struct ErrorMessage(Errno Errno, string? Text)
{
    /// <summary>Reads the payload of an NLMSG_ERROR or, with its error alone, of an NLMSG_DONE.</summary>
    /// <returns>False when it is too short to hold an errno.</returns>
    public static bool TryRead(in MessageHeader header, ReadOnlySpan<byte> payload, out ErrorMessage error)
    {
        error = default;
        if (!MemoryMarshal.TryRead(payload, out int negative)) // int error
            return false;
        error = new ErrorMessage(
            (Errno)(-negative), header.Type == Nlmsg.NLMSG_ERROR ? ReadText(header.Flags, payload[sizeof(int)..]) : null);
        return true;
    }

    /// <param name="flags">nlmsg_flags of the NLMSG_ERROR.</param>
    /// <param name="request">What follows the errno: the request's header, its payload unless capped, then attributes.</param>
    private static string? ReadText(ushort flags, ReadOnlySpan<byte> request)
    {
        if ((flags & Nlmsg.NLM_F_ACK_TLVS) == 0 || !MemoryMarshal.TryRead(request, out MessageHeader refused))
            return null;
        long skipped = (flags & Nlmsg.NLM_F_CAPPED) != 0 ? Nlmsg.HeaderLength : (refused.Length + 3L) & ~3L;
        if (skipped > request.Length)
            return null;
        AttributeReader attributes = new(request[(int)skipped..]);
        while (attributes.Next())
        {
            if (attributes.Type == Nlmsg.NLMSGERR_ATTR_MSG)
                return Encoding.UTF8.GetString(attributes.Value.TrimEnd((byte)0));
        }

        return null;
    }
}
