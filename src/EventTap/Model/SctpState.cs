namespace ConntrackStream.EventTap.Model;

/// <summary>CTA_PROTOINFO_SCTP_STATE: enum sctp_conntrack of linux/netfilter/nf_conntrack_sctp.h.</summary>
public enum SctpState : byte
{
    None = 0, // SCTP_CONNTRACK_NONE
    Closed = 1, // SCTP_CONNTRACK_CLOSED
    CookieWait = 2, // SCTP_CONNTRACK_COOKIE_WAIT
    CookieEchoed = 3, // SCTP_CONNTRACK_COOKIE_ECHOED
    Established = 4, // SCTP_CONNTRACK_ESTABLISHED
    ShutdownSent = 5, // SCTP_CONNTRACK_SHUTDOWN_SENT
    ShutdownReceived = 6, // SCTP_CONNTRACK_SHUTDOWN_RECD
    ShutdownAckSent = 7, // SCTP_CONNTRACK_SHUTDOWN_ACK_SENT
    HeartbeatSent = 8, // SCTP_CONNTRACK_HEARTBEAT_SENT
    HeartbeatAcknowledged = 9, // SCTP_CONNTRACK_HEARTBEAT_ACKED, until 6.2
}
