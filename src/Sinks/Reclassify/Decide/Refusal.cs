namespace ConntrackStream.Sinks.Reclassify.Decide;

/// <summary>Why a flow that is on another path than it belongs on is left there. In logs and metrics in snake case.</summary>
internal enum Refusal : byte
{
    None,

    /// <summary>The kernel's set does not have it (any more), or the classifier changed its mind.</summary>
    NotConfirmed,

    /// <summary>The flow is over, or another one has its tuple.</summary>
    Gone,

    /// <summary>It is on the right path by now.</summary>
    AlreadyRight,

    /// <summary>Neither mark nor translated address tells the path it is on.</summary>
    PathUnknown,

    /// <summary>The destination is this machine.</summary>
    Local,

    /// <summary>The destination is on a connected network.</summary>
    Direct,

    /// <summary>The path is down, or routing would not take it.</summary>
    PathDown,

    /// <summary>Its destination is translated: an inbound flow, or one redirected to a proxy.</summary>
    DestinationNat,

    /// <summary>Only TCP, UDP, UDP-Lite and ICMP are moved.</summary>
    Protocol,

    /// <summary>A TCP connection at its end.</summary>
    Closing,

    /// <summary>A helper follows it (FTP, SIP), or it was expected by such a flow.</summary>
    Helper,

    /// <summary>Not translated, and the path has no mark: where its packets go is not decided by its entry.</summary>
    NoMark,

    /// <summary>nf_conntrack_tcp_loose is 0: a translated TCP connection would hang, or leak its private address.</summary>
    TcpLoose,

    /// <summary>Its client has sent nothing of late, or no more than a query: it would hang until it does.</summary>
    Idle,

    /// <summary>Moved too often, or in vain.</summary>
    Flapping,

    /// <summary>More actions a second than are allowed.</summary>
    RateLimit,

    /// <summary>A question to the kernel failed.</summary>
    KernelError,
}

/// <summary>What is done to a flow on the wrong path, mildest first.</summary>
internal enum FlowAction : byte
{
    Keep,

    /// <summary>The path's mark is written into the entry: routing takes the other way from the next packet on.</summary>
    Remark,

    /// <summary>The entry is deleted: the next packet makes a new one, on the right path and with its address.</summary>
    Delete,
}

internal static class RefusalExtensions
{
    /// <summary>It may be otherwise in a while.</summary>
    internal static bool IsPassing(this Refusal refusal) =>
        refusal is Refusal.PathDown or Refusal.Idle or Refusal.Flapping or Refusal.RateLimit or Refusal.KernelError;

    /// <summary>Nothing to tell: there is no flow on the wrong path any more.</summary>
    internal static bool IsSettled(this Refusal refusal) => refusal is Refusal.None or Refusal.NotConfirmed or Refusal.Gone or Refusal.AlreadyRight;
}
