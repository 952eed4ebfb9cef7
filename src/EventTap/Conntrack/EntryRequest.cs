using ConntrackStream.EventTap.Model;

namespace ConntrackStream.EventTap.Conntrack;

/// <summary>
/// What a request says of one entry: its key, and what to set. What is null is not sent, so the kernel leaves it alone.
/// </summary>
public sealed partial record EntryRequest
{
    /// <summary>nfgenmsg.nfgen_family; by default that of the tuple.</summary>
    public FlowFamily Family { get => field != FlowFamily.Unspecified ? field : Key.Family; init; }

    /// <summary>CTA_TUPLE_ORIG. To look an entry up, either tuple will do here. Its zone is not sent: see <see cref="Zone"/>.</summary>
    public FlowTuple? Original { get; init; }

    /// <summary>CTA_TUPLE_REPLY: of a new entry, as it would be without NAT, or to look one up without <see cref="Original"/>.</summary>
    public FlowTuple? Reply { get; init; }

    /// <summary>CTA_ZONE; to look an entry up, the zone of the tuple's direction.</summary>
    public ushort? Zone { get; init; }

    /// <summary>CTA_TUPLE_ZONE of either tuple: for a new entry in a zone of one direction.</summary>
    public ushort? OriginalZone { get; init; }

    /// <inheritdoc cref="OriginalZone"/>
    public ushort? ReplyZone { get; init; }

    /// <summary>CTA_STATUS, all bits; CONFIRMED is added, without which the kernel refuses.</summary>
    public FlowStatus? Status { get; init; }

    /// <summary>CTA_TIMEOUT, in seconds.</summary>
    public uint? Timeout { get; init; }

    /// <summary>CTA_MARK and CTA_MARK_MASK: the bits of the mask become those of the value.</summary>
    public BitMatch? Mark { get; init; }

    /// <summary>CTA_SECMARK: taken by no kernel since 2.6.36, which ignore it.</summary>
    public uint? SecurityMark { get; init; }

    /// <summary>CTA_LABELS and CTA_LABELS_MASK: the bits of the mask become those of the value.</summary>
    public (UInt128 Value, UInt128 Mask)? Labels { get; init; }

    /// <summary>CTA_HELP_NAME.</summary>
    public string? Helper { get; init; }

    /// <summary>CTA_PROTOINFO_TCP_STATE, CTA_PROTOINFO_SCTP_STATE or CTA_PROTOINFO_DCCP_STATE, by the tuple's protocol.</summary>
    public byte? ProtocolState { get; init; }

    /// <summary>IP_CT_TCP_FLAG_* to set in both directions (CTA_PROTOINFO_TCP_FLAGS_*).</summary>
    public byte? TcpFlags { get; init; }

    /// <summary>CTA_PROTOINFO_SCTP_VTAG_ORIGINAL.</summary>
    public uint? SctpOriginalTag { get; init; }

    /// <summary>CTA_PROTOINFO_SCTP_VTAG_REPLY.</summary>
    public uint? SctpReplyTag { get; init; }

    /// <summary>CTA_PROTOINFO_DCCP_ROLE.</summary>
    public byte? DccpRole { get; init; }

    /// <summary>CTA_NAT_SRC, of a new entry.</summary>
    public NatTarget? SourceNat { get; init; }

    /// <summary>CTA_NAT_DST, of a new entry.</summary>
    public NatTarget? DestinationNat { get; init; }

    internal FlowTuple Key => Original ?? Reply ?? default;

    /// <summary>A request with the key of an entry alone: its original tuple and zone.</summary>
    public static EntryRequest For(in FlowTuple original) =>
        new() { Original = original, Zone = original.Zone == 0 ? null : original.Zone };
}
