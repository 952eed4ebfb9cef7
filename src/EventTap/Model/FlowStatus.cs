namespace ConntrackStream.EventTap.Model;

/// <summary>CTA_STATUS: IPS_* of linux/netfilter/nf_conntrack_common.h.</summary>
[Flags]
public enum FlowStatus : uint
{
    /// <summary>No bit: an entry that is not in the table yet.</summary>
    None = 0,

    /// <summary>IPS_EXPECTED: a helper expected the flow, such as the data connection of FTP.</summary>
    Expected = 1 << 0,

    /// <summary>IPS_SEEN_REPLY: a packet in reply direction has been seen.</summary>
    SeenReply = 1 << 1,

    /// <summary>IPS_ASSURED: the flow is never dropped early to make room in a full table.</summary>
    Assured = 1 << 2,

    /// <summary>IPS_CONFIRMED: its first packet has left the machine or was delivered; the entry is in the table.</summary>
    Confirmed = 1 << 3,

    /// <summary>IPS_SRC_NAT: the source is translated.</summary>
    SourceNat = 1 << 4,

    /// <summary>IPS_DST_NAT: the destination is translated.</summary>
    DestinationNat = 1 << 5,

    /// <summary>IPS_SEQ_ADJUST: TCP sequence numbers are shifted, since NAT changed the length of payload.</summary>
    SequenceAdjust = 1 << 6,

    /// <summary>IPS_SRC_NAT_DONE: source NAT has been decided, perhaps to do nothing.</summary>
    SourceNatDone = 1 << 7,

    /// <summary>IPS_DST_NAT_DONE: destination NAT has been decided, perhaps to do nothing.</summary>
    DestinationNatDone = 1 << 8,

    /// <summary>IPS_DYING: removed from the table; no packet finds it any more.</summary>
    Dying = 1 << 9,

    /// <summary>IPS_FIXED_TIMEOUT: packets do not renew the timeout.</summary>
    FixedTimeout = 1 << 10,

    /// <summary>IPS_TEMPLATE: not a flow, but the settings that the CT target gives to new ones.</summary>
    Template = 1 << 11,

    /// <summary>IPS_NAT_CLASH (IPS_UNTRACKED before 4.12): see <see cref="Flow.IsClashLoser"/>.</summary>
    NatClash = 1 << 12,

    /// <summary>IPS_HELPER: a rule assigned its helper, rather than its port.</summary>
    Helper = 1 << 13,

    /// <summary>IPS_OFFLOAD: a flow table forwards its packets past conntrack, in software.</summary>
    Offload = 1 << 14,

    /// <summary>IPS_HW_OFFLOAD: the network card forwards its packets.</summary>
    HardwareOffload = 1 << 15,
}
