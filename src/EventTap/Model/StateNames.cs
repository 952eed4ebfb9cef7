namespace ConntrackStream.EventTap.Model;

/// <summary>
/// Names of the states that the kernel keeps for a flow of TCP, SCTP or DCCP, as conntrack-tools spell them: the kernel's, without their
/// prefix. Empty for a number that the kernel does not have.
/// </summary>
public static class StateNames
{
    private const int States = 10; // TCP_CONNTRACK_MAX, SCTP_CONNTRACK_MAX and DCCP_CONNTRACK_MAX are equal

    /// <summary>TCP_CONNTRACK_*; SYN_SENT2 is the number once called LISTEN.</summary>
    public static ReadOnlySpan<byte> Utf8Name(this TcpState state) => state switch
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

    /// <summary>SCTP_CONNTRACK_*.</summary>
    public static ReadOnlySpan<byte> Utf8Name(this SctpState state) => state switch
    {
        SctpState.None => "NONE"u8,
        SctpState.Closed => "CLOSED"u8,
        SctpState.CookieWait => "COOKIE_WAIT"u8,
        SctpState.CookieEchoed => "COOKIE_ECHOED"u8,
        SctpState.Established => "ESTABLISHED"u8,
        SctpState.ShutdownSent => "SHUTDOWN_SENT"u8,
        SctpState.ShutdownReceived => "SHUTDOWN_RECD"u8,
        SctpState.ShutdownAckSent => "SHUTDOWN_ACK_SENT"u8,
        SctpState.HeartbeatSent => "HEARTBEAT_SENT"u8,
        SctpState.HeartbeatAcknowledged => "HEARTBEAT_ACKED"u8,
        _ => default,
    };

    /// <summary>The name of <see cref="Flow.ProtocolState"/>; empty for a protocol without states, too.</summary>
    public static ReadOnlySpan<byte> Of(IpProtocol protocol, byte state) => protocol switch
    {
        IpProtocol.Tcp => ((TcpState)state).Utf8Name(),
        IpProtocol.Sctp => ((SctpState)state).Utf8Name(),
        IpProtocol.Dccp => Dccp(state),
        _ => default,
    };

    /// <summary>Reads a name, as it is spelled.</summary>
    public static bool TryParse(IpProtocol protocol, ReadOnlySpan<byte> name, out byte state)
    {
        for (state = 0; state < States; state++)
        {
            if (!name.IsEmpty && name.SequenceEqual(Of(protocol, state)))
                return true;
        }

        return false;
    }

    private static ReadOnlySpan<byte> Dccp(byte state) => state switch
    {
        0 => "NONE"u8, // CT_DCCP_NONE
        1 => "REQUEST"u8, // CT_DCCP_REQUEST
        2 => "RESPOND"u8, // CT_DCCP_RESPOND
        3 => "PARTOPEN"u8, // CT_DCCP_PARTOPEN
        4 => "OPEN"u8, // CT_DCCP_OPEN
        5 => "CLOSEREQ"u8, // CT_DCCP_CLOSEREQ
        6 => "CLOSING"u8, // CT_DCCP_CLOSING
        7 => "TIMEWAIT"u8, // CT_DCCP_TIMEWAIT
        8 => "IGNORE"u8, // CT_DCCP_IGNORE
        9 => "INVALID"u8, // CT_DCCP_INVALID
        _ => default,
    };
}
