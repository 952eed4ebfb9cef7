namespace ConntrackStream.EventTap.Model;

/// <summary>CTA_PROTOINFO_TCP_STATE: enum tcp_conntrack of linux/netfilter/nf_conntrack_tcp.h.</summary>
public enum TcpState : byte
{
    None = 0, // TCP_CONNTRACK_NONE
    SynSent = 1, // TCP_CONNTRACK_SYN_SENT
    SynReceived = 2, // TCP_CONNTRACK_SYN_RECV
    Established = 3, // TCP_CONNTRACK_ESTABLISHED
    FinWait = 4, // TCP_CONNTRACK_FIN_WAIT
    CloseWait = 5, // TCP_CONNTRACK_CLOSE_WAIT
    LastAck = 6, // TCP_CONNTRACK_LAST_ACK
    TimeWait = 7, // TCP_CONNTRACK_TIME_WAIT
    Close = 8, // TCP_CONNTRACK_CLOSE
    SynSent2 = 9, // TCP_CONNTRACK_LISTEN, SYN_SENT2 since 2.6.30
}
