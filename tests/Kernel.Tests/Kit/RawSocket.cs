using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>A raw socket of one protocol and source address; the kernel makes the IP header.</summary>
internal sealed unsafe class RawSocket : IDisposable
{
    private readonly SafeFileHandle _fd;

    internal RawSocket(KernelNamespace space, IPAddress source, int protocol)
    {
        bool ipv6 = source.AddressFamily == AddressFamily.InterNetworkV6;
        _fd = space.Run(() => KitLibc.OpenSocket(ipv6 ? KitLibc.AF_INET6 : KitLibc.AF_INET, KitLibc.SOCK_RAW, protocol));
        byte* address = stackalloc byte[SocketAddressLength];
        KitLibc.Check(KitLibc.bind(_fd, address, Write(address, source)), $"bind to {source}");
    }

    /// <summary>Length of the longest socket address used, struct sockaddr_in6.</summary>
    internal const int SocketAddressLength = 28;

    internal void Send(IPAddress destination, ReadOnlySpan<byte> packet)
    {
        byte* address = stackalloc byte[SocketAddressLength];
        uint length = Write(address, destination);
        fixed (byte* data = packet)
            KitLibc.Check(KitLibc.sendto(_fd, data, (nuint)packet.Length, 0, address, length), $"sendto {destination}");
    }

    public void Dispose() => _fd.Dispose();

    /// <summary>Writes struct sockaddr_in or sockaddr_in6; returns its length.</summary>
    internal static uint Write(byte* to, IPAddress address, ushort port = 0)
    {
        bool ipv6 = address.AddressFamily == AddressFamily.InterNetworkV6;
        Span<byte> bytes = new(to, SocketAddressLength);
        bytes.Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)(ipv6 ? KitLibc.AF_INET6 : KitLibc.AF_INET));
        BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], port);
        address.TryWriteBytes(bytes[(ipv6 ? 8 : 4)..], out _);
        return ipv6 ? 28u : 16u;
    }
}
