namespace ConntrackStream.EventTap.Model;

/// <summary>CTA_PROTOINFO_TCP_STATE: enum tcp_conntrack of linux/netfilter/nf_conntrack_tcp.h.</summary>
public enum TcpState : byte
{
    /// <summary>TCP_CONNTRACK_NONE: not known yet.</summary>
    None = 0,

    /// <summary>TCP_CONNTRACK_SYN_SENT: a SYN in original direction has been seen.</summary>
    SynSent = 1,

    /// <summary>TCP_CONNTRACK_SYN_RECV: its SYN/ACK has been seen.</summary>
    SynReceived = 2,

    /// <summary>TCP_CONNTRACK_ESTABLISHED: the handshake is complete.</summary>
    Established = 3,

    /// <summary>TCP_CONNTRACK_FIN_WAIT: the first FIN has been seen.</summary>
    FinWait = 4,

    /// <summary>TCP_CONNTRACK_CLOSE_WAIT: the first FIN has been acknowledged.</summary>
    CloseWait = 5,

    /// <summary>TCP_CONNTRACK_LAST_ACK: the second FIN has been seen.</summary>
    LastAck = 6,

    /// <summary>TCP_CONNTRACK_TIME_WAIT: the last acknowledgement has been seen; segments may still be on their way.</summary>
    TimeWait = 7,

    /// <summary>TCP_CONNTRACK_CLOSE: a reset has been seen.</summary>
    Close = 8,

    /// <summary>TCP_CONNTRACK_LISTEN, which means SYN_SENT2 since 2.6.30: SYNs in both directions (a simultaneous open).</summary>
    SynSent2 = 9,
}
