using System.Buffers.Binary;
using System.Runtime.InteropServices;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Kernel.Tests.Kit;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Kernel.Tests.Soak;

/// <summary>What a packet is for.</summary>
internal enum PacketUse : byte
{
    /// <summary>Opens or refreshes its flow.</summary>
    Whole,

    /// <summary>Dropped between gate and confirmation (by its DSCP).</summary>
    Orphan,

    /// <summary>Half a datagram, kept by the node for the rest.</summary>
    FirstHalf,
    SecondHalf,
}

/// <summary>Sends packets of any tuple from one host, by sendmmsg on a raw socket. Their transport checksums are left out.</summary>
internal sealed unsafe class PacketSender : IDisposable
{
    /// <summary>DSCP of <see cref="PacketUse.Orphan"/>.</summary>
    public const int OrphanDscp = 1;

    private const int Batch = 64, HeaderLength = 20, PacketLength = 64, Half = 16;
    private const int RawProtocol = 255; // IPPROTO_RAW: the IP header is ours (IP_HDRINCL)
    private const ushort MoreFragments = 0x2000; // IP_MF

    private readonly SafeFileHandle _socket;
    private readonly byte* _packets = (byte*)NativeMemory.AllocZeroed(Batch * PacketLength);
    private readonly byte* _addresses = (byte*)NativeMemory.AllocZeroed(Batch * RawSocket.SocketAddressLength);
    private readonly KitLibc.Mmsghdr* _messages = (KitLibc.Mmsghdr*)NativeMemory.AllocZeroed((nuint)(Batch * sizeof(KitLibc.Mmsghdr)));
    private readonly KitLibc.Iovec* _payloads = (KitLibc.Iovec*)NativeMemory.AllocZeroed((nuint)(Batch * sizeof(KitLibc.Iovec)));
    private int _count;

    public PacketSender(KernelNamespace host) =>
        _socket = host.Run(() => KitLibc.OpenSocket(KitLibc.AF_INET, KitLibc.SOCK_RAW, RawProtocol));

    /// <param name="id">Joins the halves of a datagram; 0 otherwise.</param>
    public void Add(in FlowTuple tuple, PacketUse use, ushort id = 0)
    {
        if (_count == Batch)
            Flush();
        byte* packet = _packets + (_count * PacketLength), address = _addresses + (_count * RawSocket.SocketAddressLength);
        int length = Write(new Span<byte>(packet, PacketLength), tuple, use, id);
        _payloads[_count] = new KitLibc.Iovec { Base = packet, Length = (nuint)length };
        _messages[_count] = new KitLibc.Mmsghdr
        {
            Name = address,
            NameLength = RawSocket.Write(address, tuple.Destination.ToIPAddress(FlowFamily.IPv4)),
            Iov = _payloads + _count,
            IovLength = 1,
        };
        _count++;
    }

    /// <summary>Sends what was added.</summary>
    public void Flush()
    {
        for (int sent = 0; sent < _count;)
        {
            int result = KitLibc.sendmmsg(_socket, _messages + sent, (uint)(_count - sent), 0);
            if (result < 0 && Marshal.GetLastPInvokeError() == KitLibc.EINTR)
                continue;
            sent += KitLibc.Check(result, "sendmmsg");
        }

        _count = 0;
    }

    public void Dispose()
    {
        _socket.Dispose();
        NativeMemory.Free(_packets);
        NativeMemory.Free(_addresses);
        NativeMemory.Free(_messages);
        NativeMemory.Free(_payloads);
    }

    /// <summary>Total length and header checksum are the kernel's to fill in.</summary>
    private static int Write(Span<byte> packet, in FlowTuple tuple, PacketUse use, ushort id)
    {
        packet.Clear();
        packet[0] = 0x45; // version 4, 5 words of header
        packet[1] = use == PacketUse.Orphan ? (byte)(OrphanDscp << 2) : (byte)0;
        BinaryPrimitives.WriteUInt16BigEndian(packet[4..], id);
        ushort fragment = use switch { PacketUse.FirstHalf => MoreFragments, PacketUse.SecondHalf => Half / 8, _ => 0 };
        BinaryPrimitives.WriteUInt16BigEndian(packet[6..], fragment);
        packet[8] = 64; // ttl
        packet[9] = (byte)tuple.Protocol;
        tuple.Source.WriteTo(packet[12..], FlowFamily.IPv4);
        tuple.Destination.WriteTo(packet[16..], FlowFamily.IPv4);
        return HeaderLength + (use == PacketUse.SecondHalf ? Half : WriteTransport(packet[HeaderLength..], tuple, use));
    }

    private static int WriteTransport(Span<byte> header, in FlowTuple tuple, PacketUse use)
    {
        if (tuple.Protocol == IpProtocol.Icmp)
        {
            header[0] = tuple.IcmpType;
            BinaryPrimitives.WriteUInt16BigEndian(header[4..], tuple.IcmpId);
            return 8;
        }

        BinaryPrimitives.WriteUInt16BigEndian(header, tuple.SourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(header[2..], tuple.DestinationPort);
        if (tuple.Protocol == IpProtocol.Tcp)
        {
            header[12] = 5 << 4; // 5 words of header
            header[13] = 0x02; // SYN
            BinaryPrimitives.WriteUInt16BigEndian(header[14..], 65535); // window
            return 20;
        }

        int sent = use == PacketUse.FirstHalf ? Half : 8;
        BinaryPrimitives.WriteUInt16BigEndian(header[4..], (ushort)(use == PacketUse.FirstHalf ? 2 * Half : sent));
        return sent;
    }
}
