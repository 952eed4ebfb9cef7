using System.Runtime.InteropServices;

namespace ConntrackStream.EventTap.Netlink;

/// <summary>struct nlmsghdr, in host byte order.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly struct MessageHeader
{
    /// <summary>nlmsg_len in bytes, header included.</summary>
    public readonly uint Length;

    /// <summary>nlmsg_type.</summary>
    public readonly ushort Type;

    /// <summary>nlmsg_flags.</summary>
    public readonly ushort Flags;

    /// <summary>nlmsg_seq: the request's number, in an answer.</summary>
    public readonly uint Sequence;

    /// <summary>nlmsg_pid: of the requester, in an answer and in an event it caused, else 0. A sender may write anything here.</summary>
    public readonly uint PortId;

    /// <summary>The header of a whole message.</summary>
    /// <returns>False when the message is shorter than a header or not exactly nlmsg_len bytes long.</returns>
    public static bool TryRead(ReadOnlySpan<byte> message, out MessageHeader header) =>
        MemoryMarshal.TryRead(message, out header) && header.Length == (uint)message.Length;
}
