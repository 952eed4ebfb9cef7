namespace ConntrackStream.EventTap.Model;

/// <summary>CTA_PROTOINFO_SCTP_STATE: enum sctp_conntrack of linux/netfilter/nf_conntrack_sctp.h.</summary>
public enum SctpState : byte
{
    /// <summary>SCTP_CONNTRACK_NONE: not known yet.</summary>
    None = 0,

    /// <summary>SCTP_CONNTRACK_CLOSED: aborted or shut down.</summary>
    Closed = 1,

    /// <summary>SCTP_CONNTRACK_COOKIE_WAIT: an INIT has been seen.</summary>
    CookieWait = 2,

    /// <summary>SCTP_CONNTRACK_COOKIE_ECHOED: a COOKIE ECHO has been seen.</summary>
    CookieEchoed = 3,

    /// <summary>SCTP_CONNTRACK_ESTABLISHED: a COOKIE ACK has been seen.</summary>
    Established = 4,

    /// <summary>SCTP_CONNTRACK_SHUTDOWN_SENT: a SHUTDOWN in original direction has been seen.</summary>
    ShutdownSent = 5,

    /// <summary>SCTP_CONNTRACK_SHUTDOWN_RECD: a SHUTDOWN in reply direction has been seen.</summary>
    ShutdownReceived = 6,

    /// <summary>SCTP_CONNTRACK_SHUTDOWN_ACK_SENT: a SHUTDOWN ACK has been seen.</summary>
    ShutdownAckSent = 7,

    /// <summary>SCTP_CONNTRACK_HEARTBEAT_SENT: a heartbeat on a secondary path, whose association was not seen to begin.</summary>
    HeartbeatSent = 8,

    /// <summary>SCTP_CONNTRACK_HEARTBEAT_ACKED, until 6.2: that heartbeat has been answered.</summary>
    HeartbeatAcknowledged = 9,
}
