namespace ConntrackStream.Sinks.Reclassify.Sets.Ipsets;

/// <summary>Numbers of linux/netfilter/ipset/ip_set.h, under their kernel names.</summary>
internal static class Ipset
{
    internal const byte NFNL_SUBSYS_IPSET = 6; // linux/netfilter/nfnetlink.h
    internal const byte IPSET_PROTOCOL = 7;

    internal const byte IPSET_CMD_LIST = 7;
    internal const byte IPSET_CMD_TEST = 11;

    // Attributes of a message
    internal const ushort IPSET_ATTR_PROTOCOL = 1;
    internal const ushort IPSET_ATTR_SETNAME = 2;
    internal const ushort IPSET_ATTR_TYPENAME = 3;
    internal const ushort IPSET_ATTR_FAMILY = 5;
    internal const ushort IPSET_ATTR_FLAGS = 6;
    internal const ushort IPSET_ATTR_DATA = 7;
    internal const ushort IPSET_ATTR_ADT = 8;

    // Attributes of a set's header or of a member
    internal const ushort IPSET_ATTR_IP = 1;
    internal const ushort IPSET_ATTR_IP_TO = 2;
    internal const ushort IPSET_ATTR_CIDR = 3;
    internal const ushort IPSET_ATTR_PORT = 4;
    internal const ushort IPSET_ATTR_PORT_TO = 5;
    internal const ushort IPSET_ATTR_TIMEOUT = 6;
    internal const ushort IPSET_ATTR_PROTO = 7;
    internal const ushort IPSET_ATTR_CADT_FLAGS = 8;
    internal const ushort IPSET_ATTR_MARK = 10;
    internal const ushort IPSET_ATTR_MARKMASK = 11;
    internal const ushort IPSET_ATTR_BITMASK = 12; // 6.2
    internal const ushort IPSET_ATTR_NETMASK = 20;
    internal const ushort IPSET_ATTR_ELEMENTS = 24;
    internal const ushort IPSET_ATTR_NAME = 18;
    internal const ushort IPSET_ATTR_IP2 = 20;
    internal const ushort IPSET_ATTR_CIDR2 = 21;

    internal const ushort IPSET_ATTR_IPADDR_IPV4 = 1;
    internal const ushort IPSET_ATTR_IPADDR_IPV6 = 2;

    internal const uint IPSET_FLAG_LIST_HEADER = 4;
    internal const uint IPSET_FLAG_NOMATCH = 4; // of IPSET_ATTR_CADT_FLAGS

    /// <summary>A look-up's miss, or a member that the type cannot hold; no errno of the C library.</summary>
    internal const int IPSET_ERR_EXIST = 4103;

    /// <summary>A dump that could not be begun since the protocol does not fit.</summary>
    internal const int IPSET_ERR_PROTOCOL = 4097;
}
