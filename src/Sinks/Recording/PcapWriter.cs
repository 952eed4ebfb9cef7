using System.Buffers.Binary;
using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.Sinks.Recording;

/// <summary>Writes netlink datagrams as a capture that tshark reads. Not thread-safe.</summary>
internal sealed class PcapWriter
{
    private readonly Stream _output;
    private readonly long _mostBytes;
    private readonly byte[] _packet = new byte[PcapFormat.PacketHeaderLength + PcapFormat.CookedLength + PcapFormat.MostBytes];

    /// <param name="mostBytes">The capture is never longer.</param>
    /// <exception cref="IOException">The output cannot be written.</exception>
    internal PcapWriter(Stream output, long mostBytes)
    {
        (_output, _mostBytes) = (output, mostBytes);
        Span<byte> header = stackalloc byte[PcapFormat.FileHeaderLength];
        header.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(header, PcapFormat.MagicNanoseconds);
        BinaryPrimitives.WriteUInt16LittleEndian(header[4..], PcapFormat.Major);
        BinaryPrimitives.WriteUInt16LittleEndian(header[6..], PcapFormat.Minor);
        BinaryPrimitives.WriteUInt32LittleEndian(header[16..], PcapFormat.MostBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(header[20..], PcapFormat.Linktype);
        _output.Write(header);
        Bytes = header.Length;
    }

    internal long Bytes { get; private set; }

    /// <summary>Datagrams written.</summary>
    internal long Packets { get; private set; }

    /// <param name="receivedAt">ns since the Unix epoch.</param>
    /// <returns>False: it would make the capture too long, and was not written.</returns>
    /// <exception cref="IOException">The output cannot be written.</exception>
    internal bool TryWrite(ReadOnlySpan<byte> datagram, long receivedAt)
    {
        int captured = PcapFormat.CookedLength + datagram.Length, length = PcapFormat.PacketHeaderLength + captured;
        if (length > _packet.Length || Bytes + length > _mostBytes)
            return false;
        Span<byte> packet = _packet;
        BinaryPrimitives.WriteUInt32LittleEndian(packet, (uint)(receivedAt / 1_000_000_000)); // ts_sec
        BinaryPrimitives.WriteUInt32LittleEndian(packet[4..], (uint)(receivedAt % 1_000_000_000));
        BinaryPrimitives.WriteInt32LittleEndian(packet[8..], captured); // incl_len
        BinaryPrimitives.WriteInt32LittleEndian(packet[12..], captured); // orig_len
        Span<byte> cooked = packet.Slice(PcapFormat.PacketHeaderLength, PcapFormat.CookedLength);
        BinaryPrimitives.WriteUInt16BigEndian(cooked, PcapFormat.FromKernel);
        BinaryPrimitives.WriteUInt16BigEndian(cooked[PcapFormat.HardwareOffset..], PcapFormat.ArphrdNetlink);
        BinaryPrimitives.WriteUInt16BigEndian(cooked[PcapFormat.ProtocolOffset..], NetlinkSocket.NETLINK_NETFILTER);
        datagram.CopyTo(packet[(PcapFormat.PacketHeaderLength + PcapFormat.CookedLength)..]);
        _output.Write(packet[..length]);
        Bytes += length;
        Packets++;
        return true;
    }

    /// <summary>Events were lost here: netlink's own message for that (NLMSG_OVERRUN), with their number.</summary>
    /// <returns>As <see cref="TryWrite"/>.</returns>
    internal bool TryWriteLoss(uint lost, long noticedAt)
    {
        Span<byte> message = stackalloc byte[Nlmsg.HeaderLength + sizeof(uint)];
        message.Clear();
        BinaryPrimitives.WriteInt32LittleEndian(message, message.Length); // nlmsg_len
        BinaryPrimitives.WriteUInt16LittleEndian(message[4..], Nlmsg.NLMSG_OVERRUN); // nlmsg_type
        BinaryPrimitives.WriteUInt32LittleEndian(message[Nlmsg.HeaderLength..], lost);
        return TryWrite(message, noticedAt);
    }
}
