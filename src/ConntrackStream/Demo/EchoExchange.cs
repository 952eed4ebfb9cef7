using System.Buffers.Binary;
using System.Net.Sockets;

namespace ConntrackStream.Service.Demo;

/// <summary>
/// ICMP and ICMPv6 echo over a raw socket (RFC 792, RFC 4443): the namespace's ping_group_range admits nobody to ping sockets.
/// </summary>
internal static class EchoExchange
{
    private const int HeaderLength = 8; // type, code, checksum, id, sequence
    private const int MaxIPv4HeaderLength = 60;

    internal static async Task RunAsync(DemoFlow flow, CancellationToken cancellationToken)
    {
        bool isIPv6 = flow.Protocol == ProtocolType.IcmpV6;
        using Socket socket = flow.From.Open(flow.Source.AddressFamily, SocketType.Raw, flow.Protocol);
        socket.Bind(new System.Net.IPEndPoint(flow.Source.Address, 0));
        await socket.ConnectAsync(new System.Net.IPEndPoint(flow.Dialled.Address, 0), cancellationToken);

        byte[] message = new byte[HeaderLength + flow.RequestBytes];
        byte[] received = new byte[MaxIPv4HeaderLength + message.Length];
        for (int round = 0; round < flow.Rounds; round++)
        {
            WriteRequest(message, isIPv6, (ushort)flow.Source.Port, (ushort)round);
            await socket.SendAsync(message, SocketFlags.None, cancellationToken);
            int length;
            do
                length = await socket.ReceiveAsync(received, SocketFlags.None, cancellationToken);
            while (!IsReply(received.AsSpan(0, length), isIPv6, (ushort)flow.Source.Port, (ushort)round));
        }
    }

    /// <summary>Writes an echo request's header before its payload. ICMPv6's checksum is the kernel's work (RFC 3542, 3.1).</summary>
    internal static void WriteRequest(Span<byte> message, bool isIPv6, ushort id, ushort sequence)
    {
        message[0] = (byte)(isIPv6 ? 128 : 8); // ICMPV6_ECHO_REQUEST, ICMP_ECHO
        message[1] = 0;
        BinaryPrimitives.WriteUInt16BigEndian(message[2..], 0);
        BinaryPrimitives.WriteUInt16BigEndian(message[4..], id);
        BinaryPrimitives.WriteUInt16BigEndian(message[6..], sequence);
        if (!isIPv6)
            BinaryPrimitives.WriteUInt16BigEndian(message[2..], Checksum(message));
    }

    /// <summary>
    /// A raw socket hears all ICMP of its namespace, the requests over loopback included. IPv4's come with the IP header.
    /// </summary>
    internal static bool IsReply(ReadOnlySpan<byte> packet, bool isIPv6, ushort id, ushort sequence)
    {
        int header = 0;
        if (!isIPv6)
        {
            if (packet.IsEmpty)
                return false;
            header = (packet[0] & 0xf) * 4;
        }

        if (packet.Length < header + HeaderLength)
            return false;
        ReadOnlySpan<byte> icmp = packet[header..];
        return icmp[0] == (isIPv6 ? 129 : 0) // ICMPV6_ECHO_REPLY, ICMP_ECHOREPLY
            && BinaryPrimitives.ReadUInt16BigEndian(icmp[4..]) == id
            && BinaryPrimitives.ReadUInt16BigEndian(icmp[6..]) == sequence;
    }

    /// <summary>The internet checksum (RFC 1071).</summary>
    internal static ushort Checksum(ReadOnlySpan<byte> message)
    {
        uint sum = 0;
        for (; message.Length > 1; message = message[2..])
            sum += BinaryPrimitives.ReadUInt16BigEndian(message);
        if (message.Length == 1)
            sum += (uint)message[0] << 8;
        while (sum > ushort.MaxValue)
            sum = (sum & ushort.MaxValue) + (sum >> 16);
        return (ushort)~sum;
    }
}
