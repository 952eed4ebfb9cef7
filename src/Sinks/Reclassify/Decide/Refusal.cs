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

    /// <summary>
    /// Not translated, and no flow with a source of its network is answered on the path: its provider may drop that source.
    /// </summary>
    UnusedSource,

    /// <summary>nf_conntrack_tcp_loose is 0: a TCP connection whose entry is deleted would not come back.</summary>
    TcpLoose,

    /// <summary>Its client has sent nothing of late, or no more than a query: it would hear nothing until it does.</summary>
    Idle,

    /// <summary>A translated TCP connection whose packets pass the rules by in a flow table: its client cannot be reset.</summary>
    Offloaded,

    /// <summary>The service's table is not to be had, so that no client can be reset.</summary>
    NoReset,

    /// <summary>What becomes of the first moves is awaited before there are more.</summary>
    Awaiting,

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

    /// <summary>The client's next packet is answered with a reset, then the entry is deleted: it reconnects on the right path.</summary>
    Reset,

    /// <summary>Deleted, if a second look finds that its client has sent meanwhile.</summary>
    Watch,
}

internal static class RefusalExtensions
{
    /// <summary>It may be otherwise in a while.</summary>
    internal static bool IsPassing(this Refusal refusal) =>
        refusal is Refusal.PathDown or Refusal.UnusedSource or Refusal.Idle or Refusal.Flapping or Refusal.KernelError || refusal.IsTurn();

    /// <summary>It waits only for its turn.</summary>
    internal static bool IsTurn(this Refusal refusal) => refusal is Refusal.RateLimit or Refusal.Awaiting;

    /// <summary>Nothing to report: there is no flow on the wrong path any more.</summary>
    internal static bool IsSettled(this Refusal refusal) =>
        refusal is Refusal.None or Refusal.NotConfirmed or Refusal.Gone or Refusal.AlreadyRight;
}
