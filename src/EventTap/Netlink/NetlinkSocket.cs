using Microsoft.Win32.SafeHandles;
using static ConntrackStream.EventTap.Netlink.Libc;

namespace ConntrackStream.EventTap.Netlink;

/// <summary>
/// One AF_NETLINK socket, bound to a port id of the kernel's choice, in the network namespace of the thread that opens it
/// (<see cref="NetworkNamespace.Run{T}"/>). Not thread-safe, but for <see cref="Send"/> beside one receiver.
/// </summary>
public sealed unsafe class NetlinkSocket : IDisposable
{
    /// <summary>rtnetlink: links, addresses, routes (rtnetlink(7)).</summary>
    public const int NETLINK_ROUTE = 0;

    /// <summary>nfnetlink: conntrack, nf_tables, ipset.</summary>
    public const int NETLINK_NETFILTER = 12;

    /// <summary>Opens a socket.</summary>
    /// <param name="protocol">Whom to talk to, such as <see cref="NETLINK_NETFILTER"/>.</param>
    /// <exception cref="NetlinkException">EPROTONOSUPPORT: this kernel has no such protocol.</exception>
    public NetlinkSocket(int protocol)
    {
        int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
        if (fd < 0)
            throw new NetlinkException($"opening a netlink socket (protocol {protocol})", LastErrno);
        Handle = new SafeFileHandle(fd, ownsHandle: true);
        try
        {
            PortId = Bind();
        }
        catch
        {
            Handle.Dispose();
            throw;
        }
    }

    /// <summary>The descriptor, for poll(2): see <see cref="SocketPoll"/>.</summary>
    public SafeFileHandle Handle { get; }

    /// <summary>The address unicast messages to this socket use (nl_pid).</summary>
    public uint PortId { get; }

    /// <summary>Sets an option of netlink's own.</summary>
    /// <exception cref="NetlinkException">ENOPROTOOPT: this kernel does not know the option.</exception>
    public void SetOption(NetlinkOption option, int value) => SetOption(SOL_NETLINK, (int)option, value, Enum.GetName(option)!);

    /// <summary>Joins a multicast group of the socket's protocol, by its number (NETLINK_ADD_MEMBERSHIP, netlink(7)).</summary>
    /// <exception cref="NetlinkException">EPERM: the group needs CAP_NET_ADMIN.</exception>
    public void Join(int group)
    {
        if (setsockopt(Handle, SOL_NETLINK, (int)NetlinkOption.NETLINK_ADD_MEMBERSHIP, &group, sizeof(int)) < 0)
            throw new NetlinkException($"joining netlink multicast group {group}", LastErrno);
    }

    internal void SetOption(int level, int option, int value, string name)
    {
        if (setsockopt(Handle, level, option, &value, sizeof(int)) < 0)
            throw new NetlinkException($"setting {name} to {value} on a netlink socket", LastErrno);
    }

    internal int GetOption(int level, int option, string name)
    {
        int value;
        uint length = sizeof(int);
        if (getsockopt(Handle, level, option, &value, &length) < 0)
            throw new NetlinkException($"reading {name} of a netlink socket", LastErrno);
        return value;
    }

    /// <summary>
    /// Whether the socket's network namespace has an interface of this index (SIOCGIFNAME); null when the kernel does not say.
    /// </summary>
    internal bool? HasInterface(uint index)
    {
        NeverWaits.Check("asking for an interface"); // for a device that is being renamed
        Ifreq request = new() { InterfaceIndex = (int)index };
        if (ioctl(Handle, SIOCGIFNAME, &request) == 0)
            return true;
        return LastErrno == Errno.ENODEV ? false : null;
    }

    /// <summary>Attaches a classic BPF program (SO_ATTACH_FILTER): a message for which it returns 0 is never queued.</summary>
    /// <exception cref="NetlinkException">EINVAL: the kernel refuses the program; ENOMEM:
    /// net.core.optmem_max is too small for it.</exception>
    internal void AttachFilter(ReadOnlySpan<BpfInstruction> program)
    {
        fixed (BpfInstruction* instructions = program)
        {
            SockFprog argument = new() { Length = (ushort)program.Length, Filter = instructions };
            if (setsockopt(Handle, SOL_SOCKET, SO_ATTACH_FILTER, &argument, (uint)sizeof(SockFprog)) < 0)
                throw new NetlinkException($"attaching a filter of {program.Length} instructions to a netlink socket", LastErrno);
        }
    }

    /// <summary>Lets a receive fail with EAGAIN after so long without a datagram.</summary>
    public void SetReceiveTimeout(TimeSpan timeout)
    {
        Timeval value = new() { Seconds = (nint)timeout.TotalSeconds, Microseconds = timeout.Milliseconds * 1000 };
        if (setsockopt(Handle, SOL_SOCKET, SO_RCVTIMEO, &value, (uint)sizeof(Timeval)) < 0)
            throw new NetlinkException($"setting SO_RCVTIMEO to {timeout} on a netlink socket", LastErrno);
    }

    /// <summary>Sends to the kernel (<paramref name="portId"/> 0) or to another socket of this namespace and protocol.</summary>
    /// <param name="wait">False: fails with EAGAIN when the receiver's queue is full.</param>
    /// <returns>The errno; <see cref="Errno.None"/> when sent whole.</returns>
    public Errno Send(ReadOnlySpan<byte> message, uint portId = 0, bool wait = true)
    {
        if (portId == 0) // the kernel works on a request within sendto(2)
            NeverWaits.Check("a netlink request");
        SockaddrNl to = new() { Family = AF_NETLINK, PortId = portId };
        fixed (byte* data = message)
        {
            while (sendto(Handle, data, (nuint)message.Length, wait ? 0 : MSG_DONTWAIT, &to, (uint)sizeof(SockaddrNl)) < 0)
            {
                if (LastErrno != Errno.EINTR)
                    return LastErrno;
            }
        }

        return Errno.None;
    }

    /// <summary>Receives one datagram.</summary>
    /// <param name="sender">Its sender's port id (nl_pid); 0 is the kernel, and anything else another process.</param>
    /// <param name="wait">False: fails with EAGAIN when none is queued.</param>
    /// <returns>Its whole length, more than the buffer's if it did not fit (the rest is lost); or minus the errno.</returns>
    public int Receive(Span<byte> buffer, out uint sender, bool wait = true)
    {
        int flags = MSG_TRUNC | (wait ? 0 : MSG_DONTWAIT);
        SockaddrNl from = default;
        fixed (byte* data = buffer)
        {
            while (true)
            {
                uint addressLength = (uint)sizeof(SockaddrNl);
                nint length = recvfrom(Handle, data, (nuint)buffer.Length, flags, &from, &addressLength);
                sender = from.PortId;
                if (length >= 0)
                    return (int)length;
                if (LastErrno != Errno.EINTR)
                    return -(int)LastErrno;
            }
        }
    }

    /// <summary>Closes the socket. Does not wake a thread that waits in <see cref="Receive"/>.</summary>
    public void Dispose() => Handle.Dispose();

    private uint Bind()
    {
        SockaddrNl address = new() { Family = AF_NETLINK };
        uint length = (uint)sizeof(SockaddrNl);
        if (bind(Handle, &address, length) < 0 || getsockname(Handle, &address, &length) < 0)
            throw new NetlinkException("binding a netlink socket", LastErrno);
        return address.PortId;
    }
}
