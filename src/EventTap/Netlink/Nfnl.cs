namespace ConntrackStream.EventTap.Netlink;

/// <summary>Numbers of linux/netfilter/nfnetlink.h, under their kernel names.</summary>
public static class Nfnl
{
    /// <summary>sizeof(struct nfgenmsg), in bytes: nfgen_family, version, res_id (big-endian).</summary>
    public const int HeaderLength = 4;

    /// <summary>nfgenmsg.version.</summary>
    public const byte NFNETLINK_V0 = 0;

    /// <summary>Conntrack entries.</summary>
    public const byte NFNL_SUBSYS_CTNETLINK = 1;

    /// <summary>Expectations: the flows that helpers wait for.</summary>
    public const byte NFNL_SUBSYS_CTNETLINK_EXP = 2;

    /// <summary>nfgenmsg.version from which a flush keeps to nfgen_family; the kernel defines no name for it.</summary>
    public const byte NFNETLINK_V1 = 1;

    /// <summary>Multicast group of NEW events.</summary>
    public const int NFNLGRP_CONNTRACK_NEW = 1;

    /// <summary>Multicast group of UPDATE events.</summary>
    public const int NFNLGRP_CONNTRACK_UPDATE = 2;

    /// <summary>Multicast group of DESTROY events.</summary>
    public const int NFNLGRP_CONNTRACK_DESTROY = 3;

    /// <summary>Multicast group of new expectations.</summary>
    public const int NFNLGRP_CONNTRACK_EXP_NEW = 4;

    /// <summary>Multicast group of changed expectations; no kernel has sent one.</summary>
    public const int NFNLGRP_CONNTRACK_EXP_UPDATE = 5;

    /// <summary>Multicast group of expectations that are gone.</summary>
    public const int NFNLGRP_CONNTRACK_EXP_DESTROY = 6;

    /// <summary>nlmsg_type of a message of a subsystem: NFNL_SUBSYS_ID above, NFNL_MSG_TYPE below.</summary>
    public static ushort MessageType(byte subsystem, byte message) => (ushort)(subsystem << 8 | message);
}
