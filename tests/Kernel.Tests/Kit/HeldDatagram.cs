using System.Buffers.Binary;
using System.Net;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>
/// A UDP datagram in two fragments. The first, with the ports, has passed the pod's gate and made its key; nf_defrag_ipv4 on the node keeps
/// it for the second: the flow is in no conntrack table, and no event tells of it. The node forgets it after net.ipv4.ipfrag_time (30 s).
/// </summary>
public sealed class HeldDatagram : IDisposable
{
    private const int HeaderLength = 20, FragmentLength = 16; // a multiple of 8: the UDP header and 8 bytes more
    private const int RawProtocol = 255; // IPPROTO_RAW: the IP header is ours (IP_HDRINCL)
    private const ushort MoreFragments = 0x2000; // IP_MF
    private static int _last;

    private readonly RawSocket _socket;
    private readonly IPEndPoint _from;
    private readonly IPEndPoint _to;
    private readonly ushort _id = (ushort)Interlocked.Increment(ref _last);
    private readonly Func<GateConnection> _arrive;

    internal HeldDatagram(
        KernelNamespace space, IPEndPoint from, IPEndPoint to, FlowTuple original, MapKey key, Func<GateConnection> arrive)
    {
        _from = from;
        _to = to;
        _arrive = arrive;
        Original = original;
        Key = key;
        _socket = new RawSocket(space, from.Address, RawProtocol);
        byte[] udp = new byte[FragmentLength]; // checksum 0: none
        BinaryPrimitives.WriteUInt16BigEndian(udp, (ushort)from.Port);
        BinaryPrimitives.WriteUInt16BigEndian(udp.AsSpan(2), (ushort)to.Port);
        BinaryPrimitives.WriteUInt16BigEndian(udp.AsSpan(4), 2 * FragmentLength);
        Send(MoreFragments, udp);
    }

    /// <inheritdoc cref="GateConnection.Original"/>
    public FlowTuple Original { get; }

    /// <inheritdoc cref="GateConnection.Key"/>
    public MapKey Key { get; }

    /// <summary>Sends the rest, waits until the server has the datagram, and returns the connection it opened.</summary>
    public GateConnection Release()
    {
        Send(FragmentLength / 8, new byte[FragmentLength]);
        return _arrive();
    }

    public void Dispose() => _socket.Dispose();

    /// <summary>Total length and header checksum are the kernel's to fill in.</summary>
    private void Send(ushort fragment, byte[] payload)
    {
        byte[] packet = [0x45, .. new byte[HeaderLength - 1], .. payload];
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), _id);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(6), fragment);
        packet[8] = 64; // ttl
        packet[9] = (byte)IpProtocol.Udp;
        _from.Address.TryWriteBytes(packet.AsSpan(12), out _);
        _to.Address.TryWriteBytes(packet.AsSpan(16), out _);
        _socket.Send(_to.Address, packet);
    }
}
