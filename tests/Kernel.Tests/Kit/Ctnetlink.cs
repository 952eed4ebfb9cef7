namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>Numbers of linux/netfilter/nfnetlink_conntrack.h. The tests' own, so that a mistake in those of the library shows.</summary>
internal static class Ctnetlink
{
    internal const byte IPCTNL_MSG_CT_NEW = 0;
    internal const byte IPCTNL_MSG_CT_DELETE = 2;
    internal const ushort CTA_TUPLE_ORIG = 1;
    internal const ushort CTA_TUPLE_REPLY = 2;
    internal const ushort CTA_STATUS = 3;
    internal const ushort CTA_PROTOINFO = 4;
    internal const ushort CTA_HELP = 5;
    internal const ushort CTA_TIMEOUT = 7;
    internal const ushort CTA_MARK = 8;
    internal const ushort CTA_COUNTERS_ORIG = 9;
    internal const ushort CTA_COUNTERS_REPLY = 10;
    internal const ushort CTA_USE = 11;
    internal const ushort CTA_ID = 12;
    internal const ushort CTA_ZONE = 18;
    internal const ushort CTA_SECCTX = 19;
    internal const ushort CTA_TIMESTAMP = 20;
    internal const ushort CTA_LABELS = 22;
    internal const ushort CTA_PROTOINFO_TCP = 1;
    internal const ushort CTA_PROTOINFO_DCCP = 2;
    internal const ushort CTA_PROTOINFO_SCTP = 3;
    internal const ushort CTA_PROTOINFO_TCP_STATE = 1;
    internal const ushort CTA_COUNTERS_PACKETS = 1;
    internal const ushort CTA_TIMESTAMP_START = 1;
}
