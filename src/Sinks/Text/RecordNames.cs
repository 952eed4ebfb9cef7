using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Sinks.Text;

/// <summary>Names in records, as UTF-8.</summary>
internal static class RecordNames
{
    /// <summary>
    /// IPS_* of linux/netfilter/nf_conntrack_common.h without the prefix, by bit; conntrack -L prints only three of them.
    /// </summary>
    private static readonly byte[][] StatusBits =
    [
        "\"EXPECTED\""u8.ToArray(),
        "\"SEEN_REPLY\""u8.ToArray(),
        "\"ASSURED\""u8.ToArray(),
        "\"CONFIRMED\""u8.ToArray(),
        "\"SRC_NAT\""u8.ToArray(),
        "\"DST_NAT\""u8.ToArray(),
        "\"SEQ_ADJUST\""u8.ToArray(),
        "\"SRC_NAT_DONE\""u8.ToArray(),
        "\"DST_NAT_DONE\""u8.ToArray(),
        "\"DYING\""u8.ToArray(),
        "\"FIXED_TIMEOUT\""u8.ToArray(),
        "\"TEMPLATE\""u8.ToArray(),
        "\"NAT_CLASH\""u8.ToArray(),
        "\"HELPER\""u8.ToArray(),
        "\"OFFLOAD\""u8.ToArray(),
        "\"HW_OFFLOAD\""u8.ToArray(),
    ];

    /// <summary>Bits with a name; a newer kernel's others are left out.</summary>
    internal const FlowStatus NamedStatus = (FlowStatus)0xFFFF;

    /// <summary><c>"proto":"tcp","proto_num":6</c> by protocol number.</summary>
    internal static readonly byte[][] Protocols = [.. Enumerable.Range(0, 256).Select(number => Protocol((IpProtocol)number))];

    internal static ReadOnlySpan<byte> StatusBit(int bit) => StatusBits[bit];

    /// <summary>As conntrack prints them; empty for a number the kernel does not have.</summary>
    internal static ReadOnlySpan<byte> Of(TcpState state) => state switch
    {
        TcpState.None => "NONE"u8,
        TcpState.SynSent => "SYN_SENT"u8,
        TcpState.SynReceived => "SYN_RECV"u8,
        TcpState.Established => "ESTABLISHED"u8,
        TcpState.FinWait => "FIN_WAIT"u8,
        TcpState.CloseWait => "CLOSE_WAIT"u8,
        TcpState.LastAck => "LAST_ACK"u8,
        TcpState.TimeWait => "TIME_WAIT"u8,
        TcpState.Close => "CLOSE"u8,
        TcpState.SynSent2 => "SYN_SENT2"u8,
        _ => default,
    };

    internal static ReadOnlySpan<byte> Of(FlowDirection direction) => direction switch
    {
        FlowDirection.Ingress => "ingress"u8,
        FlowDirection.Egress => "egress"u8,
        FlowDirection.Internal => "internal"u8,
        FlowDirection.Forward => "forward"u8,
        _ => "unknown"u8,
    };

    internal static ReadOnlySpan<byte> Of(FlowOrigin origin) => origin switch
    {
        FlowOrigin.Event => "event"u8,
        FlowOrigin.Dump => "dump"u8,
        _ => "audit"u8,
    };

    internal static ReadOnlySpan<byte> Of(FlowChangeKind kind) => kind switch
    {
        FlowChangeKind.Started => "start"u8,
        FlowChangeKind.Updated => "update"u8,
        FlowChangeKind.Ended => "end"u8,
        _ => "gap"u8,
    };

    internal static ReadOnlySpan<byte> Of(FlowGapReason reason) => reason switch
    {
        FlowGapReason.Overrun => "overrun"u8,
        FlowGapReason.Reconnect => "reconnect"u8,
        FlowGapReason.Restart => "restart"u8,
        FlowGapReason.SinkQueueFull => "sink_queue_full"u8,
        FlowGapReason.NamespaceReplaced => "namespace_replaced"u8,
        FlowGapReason.EventsOff => "events_off"u8,
        FlowGapReason.AccountingOff => "accounting_off"u8,
        FlowGapReason.TimestampsOff => "timestamps_off"u8,
        _ => "sink_failed"u8,
    };

    private static byte[] Protocol(IpProtocol protocol)
    {
        string? name = protocol switch
        {
            IpProtocol.Tcp => "tcp",
            IpProtocol.Udp => "udp",
            IpProtocol.Icmp => "icmp",
            IpProtocol.IcmpV6 => "icmpv6",
            IpProtocol.Sctp => "sctp",
            IpProtocol.Gre => "gre",
            IpProtocol.UdpLite => "udplite",
            IpProtocol.Dccp => "dccp",
            _ => null,
        };
        string named = name is null ? "" : $"\"proto\":\"{name}\",";
        return System.Text.Encoding.ASCII.GetBytes(FormattableString.Invariant($"{named}\"proto_num\":{(byte)protocol}"));
    }
}
