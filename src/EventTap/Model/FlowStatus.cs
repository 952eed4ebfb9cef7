namespace ConntrackStream.EventTap.Model;

/// <summary>CTA_STATUS: IPS_* of linux/netfilter/nf_conntrack_common.h.</summary>
[Flags]
public enum FlowStatus : uint
{
    None = 0,
    Expected = 1 << 0, // IPS_EXPECTED
    SeenReply = 1 << 1, // IPS_SEEN_REPLY
    Assured = 1 << 2, // IPS_ASSURED
    Confirmed = 1 << 3, // IPS_CONFIRMED
    SourceNat = 1 << 4, // IPS_SRC_NAT
    DestinationNat = 1 << 5, // IPS_DST_NAT
    SequenceAdjust = 1 << 6, // IPS_SEQ_ADJUST
    SourceNatDone = 1 << 7, // IPS_SRC_NAT_DONE
    DestinationNatDone = 1 << 8, // IPS_DST_NAT_DONE
    Dying = 1 << 9, // IPS_DYING
    FixedTimeout = 1 << 10, // IPS_FIXED_TIMEOUT
    Template = 1 << 11, // IPS_TEMPLATE
    NatClash = 1 << 12, // IPS_NAT_CLASH (was IPS_UNTRACKED)
    Helper = 1 << 13, // IPS_HELPER
    Offload = 1 << 14, // IPS_OFFLOAD
    HardwareOffload = 1 << 15, // IPS_HW_OFFLOAD
}
