namespace ConntrackStream.EventTap.Netlink;

/// <summary>Numbers of linux/netlink.h, under their kernel names.</summary>
internal static class Nlmsg
{
    internal const int HeaderLength = 16; // NLMSG_HDRLEN, sizeof(struct nlmsghdr)

    internal const ushort NLMSG_NOOP = 1;
    internal const ushort NLMSG_ERROR = 2;
    internal const ushort NLMSG_DONE = 3;
    internal const ushort NLMSG_OVERRUN = 4;
    internal const ushort NLMSG_MIN_TYPE = 0x10;

    internal const ushort NLM_F_REQUEST = 0x001;
    internal const ushort NLM_F_MULTI = 0x002;
    internal const ushort NLM_F_ACK = 0x004;
    internal const ushort NLM_F_DUMP_INTR = 0x010;
    internal const ushort NLM_F_DUMP = 0x300; // NLM_F_ROOT | NLM_F_MATCH; GET requests only
    internal const ushort NLM_F_REPLACE = 0x100; // NEW requests and events
    internal const ushort NLM_F_EXCL = 0x200;
    internal const ushort NLM_F_CREATE = 0x400;
    internal const ushort NLM_F_CAPPED = 0x100; // NLMSG_ERROR only
    internal const ushort NLM_F_ACK_TLVS = 0x200;

    internal const ushort NLMSGERR_ATTR_MSG = 1;

    internal const ushort NLA_F_NESTED = 0x8000;
    internal const ushort NLA_F_NET_BYTEORDER = 0x4000;
    internal const ushort NLA_TYPE_MASK = 0x3FFF;

    /// <summary>NLMSG_ALIGN, NLA_ALIGN: the next multiple of four.</summary>
    internal static int Align(int length) => (length + 3) & ~3;
}
