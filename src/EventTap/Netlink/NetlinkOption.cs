namespace ConntrackStream.EventTap.Netlink;

/// <summary>Options of a netlink socket (SOL_NETLINK, linux/netlink.h), under their kernel names; netlink(7) describes them.</summary>
public enum NetlinkOption
{
    /// <summary>Joins the multicast group of this number; reading ctnetlink's groups needs CAP_NET_ADMIN.</summary>
    NETLINK_ADD_MEMBERSHIP = 1,

    /// <summary>Leaves the multicast group of this number.</summary>
    NETLINK_DROP_MEMBERSHIP = 2,

    /// <summary>
    /// 1: the sender of an event learns that this socket could not take it ("reliable" delivery), and the kernel sends it again.
    /// </summary>
    NETLINK_BROADCAST_ERROR = 4,

    /// <summary>
    /// 1: a full queue does not stop delivery until it has been emptied, and no receive fails with ENOBUFS: see <see cref="SocketDrops"/>.
    /// </summary>
    NETLINK_NO_ENOBUFS = 5,

    /// <summary>1: a failure comes with the kernel's own words (<see cref="ErrorMessage.Text"/>).</summary>
    NETLINK_EXT_ACK = 11,

    /// <summary>1: a dump request's header is checked and filters the dump, such as rtnetlink's by interface (Linux 4.20).</summary>
    NETLINK_GET_STRICT_CHK = 12,
}
