using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Pipeline.Checkpoint;

/// <summary>What a checkpoint keeps of one live flow, so that it can be known again after a restart.</summary>
public struct CheckpointedFlow
{
    public FlowTuple Original;
    public FlowId Id;

    /// <summary>
    /// The kernel's start time (CTA_TIMESTAMP_START or CTA_TIMESTAMP_EVENT of NEW), ns since the Unix epoch; 0 =
    /// unknown. A time of receipt is not one.
    /// </summary>
    public long StartTime;

    /// <summary>CTA_ID.</summary>
    public uint ConntrackId;

    /// <summary>
    /// Whether <see cref="Packets"/> and <see cref="Bytes"/> (both directions together) are known; they are not with nf_conntrack_acct=0.
    /// </summary>
    public bool HasCounters;

    public ulong Packets, Bytes;
}
