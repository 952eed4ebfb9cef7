using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Text;

/// <summary>The names libnetfilter_conntrack 1.0.9 prints, and what they stand for. A state beyond its table is printed as NONE.</summary>
internal static class ConntrackNames
{
    private const int States = 10; // TCP_CONNTRACK_MAX, SCTP_CONNTRACK_MAX and DCCP_CONNTRACK_MAX are equal

    internal static ReadOnlySpan<byte> Protocol(IpProtocol protocol) => protocol switch
    {
        IpProtocol.Icmp => "icmp"u8,
        IpProtocol.Tcp => "tcp"u8,
        IpProtocol.Udp => "udp"u8,
        IpProtocol.Dccp => "dccp"u8,
        IpProtocol.Gre => "gre"u8,
        IpProtocol.IcmpV6 => "icmpv6"u8,
        IpProtocol.Sctp => "sctp"u8,
        IpProtocol.UdpLite => "udplite"u8,
        _ => "unknown"u8,
    };

    internal static ReadOnlySpan<byte> Family(FlowFamily family) => family switch
    {
        FlowFamily.IPv4 => "ipv4"u8,
        FlowFamily.IPv6 => "ipv6"u8,
        _ => "unknown"u8,
    };

    /// <summary>Empty for a protocol without states.</summary>
    internal static ReadOnlySpan<byte> State(IpProtocol protocol, byte state) => protocol switch
    {
        IpProtocol.Tcp => TcpState(state),
        IpProtocol.Sctp => SctpState(state),
        IpProtocol.Dccp => DccpState(state),
        _ => default,
    };

    internal static bool TryParseState(IpProtocol protocol, ReadOnlySpan<byte> name, out byte state)
    {
        for (state = 0; state < States; state++)
        {
            if (name.SequenceEqual(State(protocol, state)))
                return true;
        }

        return false;
    }

    private static ReadOnlySpan<byte> TcpState(byte state) => state switch
    {
        1 => "SYN_SENT"u8, // TCP_CONNTRACK_SYN_SENT
        2 => "SYN_RECV"u8, // TCP_CONNTRACK_SYN_RECV
        3 => "ESTABLISHED"u8, // TCP_CONNTRACK_ESTABLISHED
        4 => "FIN_WAIT"u8, // TCP_CONNTRACK_FIN_WAIT
        5 => "CLOSE_WAIT"u8, // TCP_CONNTRACK_CLOSE_WAIT
        6 => "LAST_ACK"u8, // TCP_CONNTRACK_LAST_ACK
        7 => "TIME_WAIT"u8, // TCP_CONNTRACK_TIME_WAIT
        8 => "CLOSE"u8, // TCP_CONNTRACK_CLOSE
        9 => "SYN_SENT2"u8, // TCP_CONNTRACK_SYN_SENT2
        _ => "NONE"u8,
    };

    private static ReadOnlySpan<byte> SctpState(byte state) => state switch
    {
        1 => "CLOSED"u8, // SCTP_CONNTRACK_CLOSED
        2 => "COOKIE_WAIT"u8, // SCTP_CONNTRACK_COOKIE_WAIT
        3 => "COOKIE_ECHOED"u8, // SCTP_CONNTRACK_COOKIE_ECHOED
        4 => "ESTABLISHED"u8, // SCTP_CONNTRACK_ESTABLISHED
        5 => "SHUTDOWN_SENT"u8, // SCTP_CONNTRACK_SHUTDOWN_SENT
        6 => "SHUTDOWN_RECD"u8, // SCTP_CONNTRACK_SHUTDOWN_RECD
        7 => "SHUTDOWN_ACK_SENT"u8, // SCTP_CONNTRACK_SHUTDOWN_ACK_SENT
        8 => "HEARTBEAT_SENT"u8, // SCTP_CONNTRACK_HEARTBEAT_SENT
        9 => "HEARTBEAT_ACKED"u8, // SCTP_CONNTRACK_HEARTBEAT_ACKED
        _ => "NONE"u8,
    };

    private static ReadOnlySpan<byte> DccpState(byte state) => state switch
    {
        1 => "REQUEST"u8, // CT_DCCP_REQUEST
        2 => "RESPOND"u8, // CT_DCCP_RESPOND
        3 => "PARTOPEN"u8, // CT_DCCP_PARTOPEN
        4 => "OPEN"u8, // CT_DCCP_OPEN
        5 => "CLOSEREQ"u8, // CT_DCCP_CLOSEREQ
        6 => "CLOSING"u8, // CT_DCCP_CLOSING
        7 => "TIMEWAIT"u8, // CT_DCCP_TIMEWAIT
        8 => "IGNORE"u8, // CT_DCCP_IGNORE
        9 => "INVALID"u8, // CT_DCCP_INVALID
        _ => "NONE"u8,
    };
}
