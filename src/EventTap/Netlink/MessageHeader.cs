using System.Runtime.InteropServices;

namespace ConntrackStream.EventTap.Netlink;

/// <summary>struct nlmsghdr, in host byte order.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct MessageHeader
{
    internal readonly uint Length; // nlmsg_len, header included
    internal readonly ushort Type; // nlmsg_type
    internal readonly ushort Flags; // nlmsg_flags
    internal readonly uint Sequence; // nlmsg_seq
    internal readonly uint PortId; // nlmsg_pid: of the requester, in an answer and in an event it caused, else 0; a sender may write anything here

    /// <summary>The header of a whole message.</summary>
    /// <returns>False when the message is shorter than a header or not exactly nlmsg_len bytes long.</returns>
    internal static bool TryRead(ReadOnlySpan<byte> message, out MessageHeader header) =>
        MemoryMarshal.TryRead(message, out header) && header.Length == (uint)message.Length;
}
