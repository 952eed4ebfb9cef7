using ConntrackStream.EventTap.Filtering;
using Microsoft.Win32.SafeHandles;
using static ConntrackStream.EventTap.Netlink.Libc;

namespace ConntrackStream.EventTap.Netlink;

/// <summary>
/// One AF_NETLINK socket, bound to a port id of the kernel's choice, in the network namespace of the thread that opens it.
/// Not thread-safe, but for <see cref="Send"/> beside one receiver.
/// </summary>
internal sealed unsafe class NetlinkSocket : IDisposable
{
    internal const int NETLINK_ROUTE = 0;
    internal const int NETLINK_NETFILTER = 12;

    internal NetlinkSocket(int protocol)
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

    internal SafeFileHandle Handle { get; }

    /// <summary>The address unicast messages to this socket use (nl_pid).</summary>
    internal uint PortId { get; }

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

    /// <summary>Whether the socket's network namespace has an interface of this index (SIOCGIFNAME); null when the kernel does not say.</summary>
    internal bool? HasInterface(uint index)
    {
        NeverWaits.Check("asking for an interface"); // for a device that is being renamed
        Ifreq request = new() { InterfaceIndex = (int)index };
        if (ioctl(Handle, SIOCGIFNAME, &request) == 0)
            return true;
        return LastErrno == Errno.ENODEV ? false : null;
    }

    /// <summary>Attaches a classic BPF program (SO_ATTACH_FILTER): a message for which it returns 0 is never queued.</summary>
    /// <exception cref="NetlinkException">EINVAL: the kernel refuses the program; ENOMEM: net.core.optmem_max is too small for it.</exception>
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
    internal void SetReceiveTimeout(TimeSpan timeout)
    {
        Timeval value = new() { Seconds = (nint)timeout.TotalSeconds, Microseconds = timeout.Milliseconds * 1000 };
        if (setsockopt(Handle, SOL_SOCKET, SO_RCVTIMEO, &value, (uint)sizeof(Timeval)) < 0)
            throw new NetlinkException($"setting SO_RCVTIMEO to {timeout} on a netlink socket", LastErrno);
    }

    /// <summary>Sends to the kernel (<paramref name="portId"/> 0) or to another socket of this namespace and protocol.</summary>
    /// <returns>The errno; <see cref="Errno.None"/> when sent whole.</returns>
    internal Errno Send(ReadOnlySpan<byte> message, uint portId = 0, int flags = 0)
    {
        if (portId == 0) // the kernel works on a request within sendto(2)
            NeverWaits.Check("a netlink request");
        SockaddrNl to = new() { Family = AF_NETLINK, PortId = portId };
        fixed (byte* data = message)
        {
            while (sendto(Handle, data, (nuint)message.Length, flags, &to, (uint)sizeof(SockaddrNl)) < 0)
            {
                if (LastErrno != Errno.EINTR)
                    return LastErrno;
            }
        }

        return Errno.None;
    }

    /// <summary>Receives one datagram; blocks unless <paramref name="flags"/> says MSG_DONTWAIT.</summary>
    /// <returns>Its length, or minus the errno.</returns>
    internal int Receive(Span<byte> buffer, int flags = 0)
    {
        fixed (byte* data = buffer)
        {
            while (true)
            {
                nint length = recv(Handle, data, (nuint)buffer.Length, flags);
                if (length >= 0)
                    return (int)length;
                if (LastErrno != Errno.EINTR)
                    return -(int)LastErrno;
            }
        }
    }

    /// <summary>Receives one datagram and says whose it is: <paramref name="sender"/> 0 is the kernel.</summary>
    /// <returns>Its whole length, more than the buffer's if it did not fit; or minus the errno.</returns>
    internal int ReceiveFrom(Span<byte> buffer, out uint sender)
    {
        SockaddrNl from = default;
        fixed (byte* data = buffer)
        {
            while (true)
            {
                uint addressLength = (uint)sizeof(SockaddrNl);
                nint length = recvfrom(Handle, data, (nuint)buffer.Length, MSG_TRUNC, &from, &addressLength);
                sender = from.PortId;
                if (length >= 0)
                    return (int)length;
                if (LastErrno != Errno.EINTR)
                    return -(int)LastErrno;
            }
        }
    }

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
