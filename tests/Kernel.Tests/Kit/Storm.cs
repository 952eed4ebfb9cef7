using System.Net;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>
/// A known number of flows as fast as the kernel makes them, 100,000 a second or more: UDP datagrams over loopback by sendmmsg, no two of
/// one storm with the same tuple. A rule drops them on input, after the entry is made, so that no ICMP error answers.
/// Room for more than nf_conntrack_max is <see cref="TableSize"/>'s to make.
/// </summary>
public sealed unsafe class Storm : IDisposable
{
    private const int Batch = 64;
    private const ushort SourcePort = 20000;
    private const int FirstPort = 1024;
    private const int Hosts = 1 << 16; // destinations before the next destination port

    private readonly KernelNamespace _space;
    private readonly SafeFileHandle _socket;
    private readonly bool _ipv6;
    private readonly byte* _addresses = (byte*)NativeMemory.AllocZeroed(Batch * RawSocket.SocketAddressLength);
    private readonly KitLibc.Mmsghdr* _messages = (KitLibc.Mmsghdr*)NativeMemory.AllocZeroed((nuint)(Batch * sizeof(KitLibc.Mmsghdr)));
    private readonly KitLibc.Iovec* _payload = (KitLibc.Iovec*)NativeMemory.AllocZeroed((nuint)sizeof(KitLibc.Iovec) + 1);
    private int _sent;

    public Storm(KernelNamespace space, bool ipv6 = false)
    {
        _space = space;
        _ipv6 = ipv6;
        string name = ipv6 ? "kit_storm6" : "kit_storm";
        space.Rules($"table inet {name} {{ chain unheard {{ type filter hook input priority 0; udp sport {SourcePort} drop; }}; }}");
        if (ipv6)
            space.Exec("ip", "-6", "route", "add", "local", "fd00:c5::/32", "dev", "lo");
        _socket = space.Run(() => KitLibc.OpenSocket(ipv6 ? KitLibc.AF_INET6 : KitLibc.AF_INET, KitLibc.SOCK_DGRAM, 0));
        byte* source = stackalloc byte[RawSocket.SocketAddressLength];
        KitLibc.Check(
            KitLibc.bind(_socket, source, RawSocket.Write(source, ipv6 ? IPAddress.IPv6Loopback : IPAddress.Loopback, SourcePort)), "bind");
        *_payload = new KitLibc.Iovec { Base = _payload + 1, Length = 1 };
    }

    /// <summary>Flows made so far.</summary>
    public int Made => _sent;

    /// <summary>Makes so many more flows.</summary>
    /// <exception cref="IOException">EPERM: the table is full.</exception>
    public void Make(int count)
    {
        while (count > 0)
        {
            int batch = Math.Min(count, Batch);
            for (int i = 0; i < batch; i++)
                Address(i, _sent + i);
            int sent = KitLibc.sendmmsg(_socket, _messages, (uint)batch, 0);
            if (sent < 0 && Marshal.GetLastPInvokeError() == KitLibc.EINTR)
                continue;
            KitLibc.Check(sent, "sendmmsg");
            _sent += sent;
            count -= sent;
        }
    }

    /// <summary>
    /// Sends the first flows' datagrams once more, in order: their entries are refreshed, or made anew under the same tuples.
    /// </summary>
    public void Repeat(int count)
    {
        int made = _sent;
        Assert.True(count <= made, $"only {made} were made");
        _sent = 0;
        Make(count);
        _sent = made;
    }

    /// <summary>Deletes every entry of the namespace, as <c>conntrack -F</c>.</summary>
    public void Flush() => _space.Exec("conntrack", "-F");

    public void Dispose()
    {
        _socket.Dispose();
        NativeMemory.Free(_addresses);
        NativeMemory.Free(_messages);
        NativeMemory.Free(_payload);
    }

    private void Address(int slot, int flow)
    {
        byte* to = _addresses + (slot * RawSocket.SocketAddressLength);
        int host = flow % Hosts;
        Span<byte> bytes = stackalloc byte[16];
        Span<byte> address = _ipv6 ? bytes : bytes[..4];
        if (_ipv6)
            (bytes[0], bytes[3], bytes[13]) = (0xfd, 0xc5, 1); // fd00:c5::1:0 and on
        else
            (bytes[0], bytes[1]) = (127, 1);
        address[^2] = (byte)(host >> 8);
        address[^1] = (byte)host;
        _messages[slot] = new KitLibc.Mmsghdr
        {
            Name = to,
            NameLength = RawSocket.Write(to, new IPAddress(address), (ushort)(FirstPort + (flow / Hosts))),
            Iov = _payload,
            IovLength = 1,
        };
    }
}
