namespace ConntrackStream.EventTap.Netlink;

/// <summary>Numbers of linux/netfilter/nfnetlink.h, under their kernel names.</summary>
internal static class Nfnl
{
    internal const int HeaderLength = 4; // sizeof(struct nfgenmsg): nfgen_family, version, res_id (big-endian)

    internal const byte NFNETLINK_V0 = 0;

    internal const byte NFNL_SUBSYS_CTNETLINK = 1;

    internal const int NFNLGRP_CONNTRACK_NEW = 1;
    internal const int NFNLGRP_CONNTRACK_UPDATE = 2;
    internal const int NFNLGRP_CONNTRACK_DESTROY = 3;

    /// <summary>nlmsg_type of a message of a subsystem: NFNL_SUBSYS_ID above, NFNL_MSG_TYPE below.</summary>
    internal static ushort MessageType(byte subsystem, byte message) => (ushort)(subsystem << 8 | message);
}
