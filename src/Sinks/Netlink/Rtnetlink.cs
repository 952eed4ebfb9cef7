namespace ConntrackStream.Sinks.Netlink;

/// <summary>
/// Numbers of linux/rtnetlink.h, if.h, if_link.h, if_addr.h, neighbour.h and veth.h, under their kernel names. All values are in host
/// order.
/// </summary>
internal static class Rtnetlink
{
    internal const ushort RTM_NEWLINK = 16;
    internal const ushort RTM_GETLINK = 18;
    internal const ushort RTM_NEWADDR = 20;
    internal const ushort RTM_GETADDR = 22;
    internal const ushort RTM_NEWROUTE = 24;
    internal const ushort RTM_GETROUTE = 26;
    internal const ushort RTM_NEWNEIGH = 28;
    internal const ushort RTM_GETNEIGH = 30;

    internal const int LinkHeaderLength = 16; // sizeof(struct ifinfomsg)
    internal const int AddressHeaderLength = 8; // sizeof(struct ifaddrmsg)
    internal const int RouteHeaderLength = 12; // sizeof(struct rtmsg)
    internal const int NeighbourHeaderLength = 12; // sizeof(struct ndmsg)

    internal const ushort IFLA_IFNAME = 3;
    internal const ushort IFLA_LINKINFO = 18;
    internal const ushort IFLA_NET_NS_FD = 28;
    internal const ushort IFLA_INFO_KIND = 1;
    internal const ushort IFLA_INFO_DATA = 2;
    internal const ushort VETH_INFO_PEER = 1;
    internal const uint IFF_UP = 1;
    internal const uint IFF_RUNNING = 1 << 6; // the operational state is up or unknown (netif_oper_up)

    internal const ushort IFA_ADDRESS = 1;
    internal const ushort IFA_LOCAL = 2;
    internal const byte IFA_F_NODAD = 2;

    internal const ushort NDA_DST = 1;
    internal const byte NTF_USE = 1;
    internal const ushort NUD_INCOMPLETE = 0x01;
    internal const ushort NUD_FAILED = 0x20;

    internal const ushort RTA_DST = 1;
    internal const ushort RTA_SRC = 2;
    internal const ushort RTA_IIF = 3;
    internal const ushort RTA_OIF = 4;
    internal const ushort RTA_GATEWAY = 5;
    internal const ushort RTA_MULTIPATH = 9;
    internal const ushort RTA_TABLE = 15;
    internal const ushort RTA_MARK = 16;
    internal const ushort RTA_VIA = 18;
    internal const ushort RTA_NH_ID = 30;
    // tell the table that decided; without it IPv4 always says main; IPv6 always tells, and refuses it
    internal const uint RTM_F_LOOKUP_TABLE = 0x1000;
    internal const uint RTM_F_FIB_MATCH = 0x2000; // tell the route itself, not what it makes of this destination
    internal const byte RT_TABLE_MAIN = 254;
    internal const byte RT_TABLE_LOCAL = 255;
    internal const byte RTPROT_STATIC = 4;
    internal const byte RT_SCOPE_UNIVERSE = 0;
    internal const byte RT_SCOPE_LINK = 253;
    internal const byte RTN_UNICAST = 1;
    internal const byte RTN_LOCAL = 2;
    internal const byte RTN_BROADCAST = 3;
    internal const byte RTN_ANYCAST = 4;
    internal const byte RTN_MULTICAST = 5;
    internal const byte RTN_BLACKHOLE = 6;
    internal const byte RTN_UNREACHABLE = 7;
    internal const byte RTN_PROHIBIT = 8;
}
