namespace ConntrackStream.EventTap.Model;

/// <summary>
/// What few flows carry, kept out of <see cref="Flow"/> so that the common event stays small.
/// Owned by the <see cref="FlowBatch"/> it came in and reused with it: whoever keeps a flow longer keeps a <see cref="Clone"/>.
/// </summary>
public sealed class FlowExtras
{
    private static readonly FlowExtras Empty = new();

    /// <summary>The flow that expected this one (CTA_TUPLE_MASTER); only with <see cref="HasMaster"/>.</summary>
    public FlowTuple Master;

    /// <summary><see cref="Master"/> was in the message.</summary>
    public bool HasMaster;

    /// <summary>128 label bits, bit 0 lowest (CTA_LABELS); only with <see cref="HasLabels"/>.</summary>
    public UInt128 Labels;

    /// <summary><see cref="Labels"/> was in the message.</summary>
    public bool HasLabels;

    /// <summary>Name of the helper module, such as <c>ftp</c> (CTA_HELP_NAME).</summary>
    public string? Helper;

    /// <summary>Security context, such as an SELinux label (CTA_SECCTX_NAME).</summary>
    public string? SecurityContext;

    /// <summary>NAT sequence adjustment of each direction (CTA_SEQ_ADJ_ORIG, CTA_SEQ_ADJ_REPLY).</summary>
    public SequenceAdjustment OriginalSequence, ReplySequence;

    /// <summary>SCTP verification tags (CTA_PROTOINFO_SCTP_VTAG_ORIGINAL, _REPLY); 0 when absent.</summary>
    public uint SctpOriginalTag, SctpReplyTag;

    /// <summary>SYNPROXY state (CTA_SYNPROXY_ISN, _ITS, _TSOFF); only with <see cref="HasSynproxy"/>.</summary>
    public uint SynproxyIsn, SynproxyIts, SynproxyTimestampOffset;

    /// <summary>The SYNPROXY state was in the message.</summary>
    public bool HasSynproxy;

    /// <summary>DCCP role (CTA_PROTOINFO_DCCP_ROLE): 0 client, 1 server.</summary>
    public byte DccpRole;

    /// <summary>Makes every field empty.</summary>
    public void Clear() => CopyFrom(Empty);

    /// <summary>A copy that belongs to the caller.</summary>
    public FlowExtras Clone() => (FlowExtras)MemberwiseClone();

    /// <summary>Takes over every field.</summary>
    public void CopyFrom(FlowExtras other)
    {
        Master = other.Master;
        HasMaster = other.HasMaster;
        Labels = other.Labels;
        HasLabels = other.HasLabels;
        Helper = other.Helper;
        SecurityContext = other.SecurityContext;
        OriginalSequence = other.OriginalSequence;
        ReplySequence = other.ReplySequence;
        SctpOriginalTag = other.SctpOriginalTag;
        SctpReplyTag = other.SctpReplyTag;
        SynproxyIsn = other.SynproxyIsn;
        SynproxyIts = other.SynproxyIts;
        SynproxyTimestampOffset = other.SynproxyTimestampOffset;
        HasSynproxy = other.HasSynproxy;
        DccpRole = other.DccpRole;
    }
}

/// <summary>How NAT shifted TCP sequence numbers (CTA_SEQADJ_CORRECTION_POS, _OFFSET_BEFORE, _OFFSET_AFTER).</summary>
public record struct SequenceAdjustment(uint CorrectionPosition, int OffsetBefore, int OffsetAfter);
