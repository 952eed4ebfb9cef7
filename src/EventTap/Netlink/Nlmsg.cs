namespace ConntrackStream.EventTap.Netlink;

/// <summary>Numbers of linux/netlink.h, under their kernel names.</summary>
public static class Nlmsg
{
    /// <summary>NLMSG_HDRLEN, sizeof(struct nlmsghdr), in bytes.</summary>
    public const int HeaderLength = 16;

    /// <summary>A message to be ignored.</summary>
    public const ushort NLMSG_NOOP = 1;

    /// <summary>An error, or with errno 0 an acknowledgement: see <see cref="ErrorMessage"/>.</summary>
    public const ushort NLMSG_ERROR = 2;

    /// <summary>The end of a dump.</summary>
    public const ushort NLMSG_DONE = 3;

    /// <summary>Data was lost; Linux does not send it.</summary>
    public const ushort NLMSG_OVERRUN = 4;

    /// <summary>The first type that is a protocol's own.</summary>
    public const ushort NLMSG_MIN_TYPE = 0x10;

    /// <summary>A request to the kernel.</summary>
    public const ushort NLM_F_REQUEST = 0x001;

    /// <summary>A part of a dump.</summary>
    public const ushort NLM_F_MULTI = 0x002;

    /// <summary>Asks for an acknowledgement.</summary>
    public const ushort NLM_F_ACK = 0x004;

    /// <summary>The dump is not consistent: the table changed meanwhile.</summary>
    public const ushort NLM_F_DUMP_INTR = 0x010;

    /// <summary>NLM_F_ROOT | NLM_F_MATCH: all entries (GET requests only).</summary>
    public const ushort NLM_F_DUMP = 0x300;

    /// <summary>Changes what exists (NEW requests and events).</summary>
    public const ushort NLM_F_REPLACE = 0x100;

    /// <summary>Fails if it exists (NEW requests), or is new (events, with NLM_F_CREATE).</summary>
    public const ushort NLM_F_EXCL = 0x200;

    /// <summary>Makes it if it does not exist.</summary>
    public const ushort NLM_F_CREATE = 0x400;

    /// <summary>An NLMSG_ERROR does not repeat the request's payload.</summary>
    public const ushort NLM_F_CAPPED = 0x100;

    /// <summary>An NLMSG_ERROR has attributes.</summary>
    public const ushort NLM_F_ACK_TLVS = 0x200;

    /// <summary>The attribute of an NLMSG_ERROR with the kernel's own words.</summary>
    public const ushort NLMSGERR_ATTR_MSG = 1;

    /// <summary>The attribute holds attributes.</summary>
    public const ushort NLA_F_NESTED = 0x8000;

    /// <summary>The payload is big-endian.</summary>
    public const ushort NLA_F_NET_BYTEORDER = 0x4000;

    /// <summary>The bits of nla_type that are the type.</summary>
    public const ushort NLA_TYPE_MASK = 0x3FFF;

    /// <summary>NLMSG_ALIGN, NLA_ALIGN: the next multiple of four.</summary>
    public static int Align(int length) => (length + 3) & ~3;
}
