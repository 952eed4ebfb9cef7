using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>Names of ctnetlink's multicast groups.</summary>
internal enum EventGroup
{
    New = 1, // NFNLGRP_CONNTRACK_NEW
    Update = 2, // NFNLGRP_CONNTRACK_UPDATE
    Destroy = 3, // NFNLGRP_CONNTRACK_DESTROY
}

/// <summary>Opens sockets in the event groups.</summary>
internal static unsafe class EventSocket
{
    internal static SafeFileHandle Open(KernelNamespace space) => space.Run(() =>
    {
        SafeFileHandle fd = KitLibc.OpenSocket(KitLibc.AF_NETLINK, KitLibc.SOCK_RAW, KitLibc.NETLINK_NETFILTER);
        byte* address = stackalloc byte[12]; // struct sockaddr_nl
        BinaryPrimitives.WriteUInt16LittleEndian(new Span<byte>(address, 2), KitLibc.AF_NETLINK);
        KitLibc.Check(KitLibc.bind(fd, address, 12), "bind");
        return fd;
    });

    internal static void Join(SafeFileHandle fd)
    {
        foreach (EventGroup group in Enum.GetValues<EventGroup>())
            KitLibc.SetOption(fd, KitLibc.SOL_NETLINK, KitLibc.NETLINK_ADD_MEMBERSHIP, (int)group);
    }

    internal static void Leave(SafeFileHandle fd)
    {
        foreach (EventGroup group in Enum.GetValues<EventGroup>())
            KitLibc.SetOption(fd, KitLibc.SOL_NETLINK, KitLibc.NETLINK_DROP_MEMBERSHIP, (int)group);
    }

    /// <summary>Deliveries the kernel refused it: SO_MEMINFO's SK_MEMINFO_DROPS.</summary>
    internal static uint Drops(SafeFileHandle fd)
    {
        uint* info = stackalloc uint[9];
        uint length = 9 * sizeof(uint);
        KitLibc.Check(KitLibc.getsockopt(fd, KitLibc.SOL_SOCKET, KitLibc.SO_MEMINFO, info, &length), "getsockopt(SO_MEMINFO)");
        return info[8];
    }
}
