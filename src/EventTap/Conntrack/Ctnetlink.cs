namespace ConntrackStream.EventTap.Conntrack;

/// <summary>Message and attribute numbers of linux/netfilter/nfnetlink_conntrack.h, under their kernel names.</summary>
internal static class Ctnetlink
{
    // enum cntl_msg_types
    internal const byte IPCTNL_MSG_CT_NEW = 0;
    internal const byte IPCTNL_MSG_CT_GET = 1;
    internal const byte IPCTNL_MSG_CT_DELETE = 2;
    internal const byte IPCTNL_MSG_CT_GET_CTRZERO = 3;
    internal const byte IPCTNL_MSG_CT_GET_STATS_CPU = 4;
    internal const byte IPCTNL_MSG_CT_GET_STATS = 5;
    internal const byte IPCTNL_MSG_CT_GET_DYING = 6;
    internal const byte IPCTNL_MSG_CT_GET_UNCONFIRMED = 7;

    // enum ctnl_exp_msg_types
    internal const byte IPCTNL_MSG_EXP_NEW = 0;
    internal const byte IPCTNL_MSG_EXP_GET = 1;
    internal const byte IPCTNL_MSG_EXP_DELETE = 2;
    internal const byte IPCTNL_MSG_EXP_GET_STATS_CPU = 3;

    // enum ctattr_type
    internal const ushort CTA_TUPLE_ORIG = 1;
    internal const ushort CTA_TUPLE_REPLY = 2;
    internal const ushort CTA_STATUS = 3;
    internal const ushort CTA_PROTOINFO = 4;
    internal const ushort CTA_HELP = 5;
    internal const ushort CTA_NAT_SRC = 6;
    internal const ushort CTA_TIMEOUT = 7;
    internal const ushort CTA_MARK = 8;
    internal const ushort CTA_COUNTERS_ORIG = 9;
    internal const ushort CTA_COUNTERS_REPLY = 10;
    internal const ushort CTA_USE = 11;
    internal const ushort CTA_ID = 12;
    internal const ushort CTA_NAT_DST = 13;
    internal const ushort CTA_TUPLE_MASTER = 14;
    internal const ushort CTA_SEQ_ADJ_ORIG = 15;
    internal const ushort CTA_SEQ_ADJ_REPLY = 16;
    internal const ushort CTA_SECMARK = 17;
    internal const ushort CTA_ZONE = 18;
    internal const ushort CTA_SECCTX = 19;
    internal const ushort CTA_TIMESTAMP = 20;
    internal const ushort CTA_MARK_MASK = 21;
    internal const ushort CTA_LABELS = 22;
    internal const ushort CTA_LABELS_MASK = 23;
    internal const ushort CTA_SYNPROXY = 24;
    internal const ushort CTA_STATUS_MASK = 26; // since Linux 5.16
    internal const ushort CTA_TIMESTAMP_EVENT = 27; // since Linux 6.14

    // enum ctattr_tuple
    internal const ushort CTA_TUPLE_IP = 1;
    internal const ushort CTA_TUPLE_PROTO = 2;
    internal const ushort CTA_TUPLE_ZONE = 3;

    // enum ctattr_ip
    internal const ushort CTA_IP_V4_SRC = 1;
    internal const ushort CTA_IP_V4_DST = 2;
    internal const ushort CTA_IP_V6_SRC = 3;
    internal const ushort CTA_IP_V6_DST = 4;

    // enum ctattr_l4proto
    internal const ushort CTA_PROTO_NUM = 1;
    internal const ushort CTA_PROTO_SRC_PORT = 2;
    internal const ushort CTA_PROTO_DST_PORT = 3;
    internal const ushort CTA_PROTO_ICMP_ID = 4;
    internal const ushort CTA_PROTO_ICMP_TYPE = 5;
    internal const ushort CTA_PROTO_ICMP_CODE = 6;
    internal const ushort CTA_PROTO_ICMPV6_ID = 7;
    internal const ushort CTA_PROTO_ICMPV6_TYPE = 8;
    internal const ushort CTA_PROTO_ICMPV6_CODE = 9;

    // enum ctattr_protoinfo
    internal const ushort CTA_PROTOINFO_TCP = 1;
    internal const ushort CTA_PROTOINFO_DCCP = 2;
    internal const ushort CTA_PROTOINFO_SCTP = 3;

    // enum ctattr_protoinfo_tcp
    internal const ushort CTA_PROTOINFO_TCP_STATE = 1;
    internal const ushort CTA_PROTOINFO_TCP_WSCALE_ORIGINAL = 2;
    internal const ushort CTA_PROTOINFO_TCP_WSCALE_REPLY = 3;
    internal const ushort CTA_PROTOINFO_TCP_FLAGS_ORIGINAL = 4;
    internal const ushort CTA_PROTOINFO_TCP_FLAGS_REPLY = 5;

    // enum ctattr_protoinfo_dccp
    internal const ushort CTA_PROTOINFO_DCCP_STATE = 1;
    internal const ushort CTA_PROTOINFO_DCCP_ROLE = 2;

    // enum ctattr_protoinfo_sctp
    internal const ushort CTA_PROTOINFO_SCTP_STATE = 1;
    internal const ushort CTA_PROTOINFO_SCTP_VTAG_ORIGINAL = 2;
    internal const ushort CTA_PROTOINFO_SCTP_VTAG_REPLY = 3;

    // enum ctattr_counters
    internal const ushort CTA_COUNTERS_PACKETS = 1;
    internal const ushort CTA_COUNTERS_BYTES = 2;
    internal const ushort CTA_COUNTERS32_PACKETS = 3;
    internal const ushort CTA_COUNTERS32_BYTES = 4;

    // enum ctattr_tstamp
    internal const ushort CTA_TIMESTAMP_START = 1;
    internal const ushort CTA_TIMESTAMP_STOP = 2;

    // enum ctattr_nat, enum ctattr_protonat
    internal const ushort CTA_NAT_V4_MINIP = 1;
    internal const ushort CTA_NAT_V4_MAXIP = 2;
    internal const ushort CTA_NAT_PROTO = 3;
    internal const ushort CTA_NAT_V6_MINIP = 4;
    internal const ushort CTA_NAT_V6_MAXIP = 5;
    internal const ushort CTA_PROTONAT_PORT_MIN = 1;
    internal const ushort CTA_PROTONAT_PORT_MAX = 2;

    // enum ctattr_seqadj
    internal const ushort CTA_SEQADJ_CORRECTION_POS = 1;
    internal const ushort CTA_SEQADJ_OFFSET_BEFORE = 2;
    internal const ushort CTA_SEQADJ_OFFSET_AFTER = 3;

    // enum ctattr_synproxy
    internal const ushort CTA_SYNPROXY_ISN = 1;
    internal const ushort CTA_SYNPROXY_ITS = 2;
    internal const ushort CTA_SYNPROXY_TSOFF = 3;

    internal const ushort CTA_HELP_NAME = 1; // enum ctattr_help
    internal const ushort CTA_SECCTX_NAME = 1; // enum ctattr_secctx

    // enum ctattr_stats_cpu
    internal const ushort CTA_STATS_SEARCHED = 1;
    internal const ushort CTA_STATS_FOUND = 2;
    internal const ushort CTA_STATS_NEW = 3;
    internal const ushort CTA_STATS_INVALID = 4;
    internal const ushort CTA_STATS_IGNORE = 5;
    internal const ushort CTA_STATS_DELETE = 6;
    internal const ushort CTA_STATS_DELETE_LIST = 7;
    internal const ushort CTA_STATS_INSERT = 8;
    internal const ushort CTA_STATS_INSERT_FAILED = 9;
    internal const ushort CTA_STATS_DROP = 10;
    internal const ushort CTA_STATS_EARLY_DROP = 11;
    internal const ushort CTA_STATS_ERROR = 12;
    internal const ushort CTA_STATS_SEARCH_RESTART = 13;
    internal const ushort CTA_STATS_CLASH_RESOLVE = 14;
    internal const ushort CTA_STATS_CHAIN_TOOLONG = 15;

    // enum ctattr_expect
    internal const ushort CTA_EXPECT_MASTER = 1;
    internal const ushort CTA_EXPECT_TUPLE = 2;
    internal const ushort CTA_EXPECT_MASK = 3;
    internal const ushort CTA_EXPECT_TIMEOUT = 4;
    internal const ushort CTA_EXPECT_ID = 5;
    internal const ushort CTA_EXPECT_HELP_NAME = 6;
    internal const ushort CTA_EXPECT_ZONE = 7;
    internal const ushort CTA_EXPECT_FLAGS = 8;
    internal const ushort CTA_EXPECT_CLASS = 9;
    internal const ushort CTA_EXPECT_FN = 11;

    // enum ctattr_expect_stats
    internal const ushort CTA_STATS_EXP_NEW = 1;
    internal const ushort CTA_STATS_EXP_CREATE = 2;
    internal const ushort CTA_STATS_EXP_DELETE = 3;

    // enum ctattr_stats_global
    internal const ushort CTA_STATS_GLOBAL_ENTRIES = 1;
    internal const ushort CTA_STATS_GLOBAL_MAX_ENTRIES = 2;
}
