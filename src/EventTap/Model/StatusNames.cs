namespace ConntrackStream.EventTap.Model;

/// <summary>Names of status bits: IPS_* without the prefix, as conntrack-tools spell those that they print.</summary>
public static class StatusNames
{
    /// <summary>The bits with a name; a newer kernel's others have none.</summary>
    public const FlowStatus Named = (FlowStatus)0xFFFF;

    /// <summary>What conntrack-tools print for a flow without <see cref="FlowStatus.SeenReply"/>.</summary>
    public static ReadOnlySpan<byte> Unreplied => "UNREPLIED"u8;

    /// <summary>The name of one bit; empty for no bit, for several, and for one without a name.</summary>
    public static ReadOnlySpan<byte> Utf8Name(this FlowStatus bit) => bit switch
    {
        FlowStatus.Expected => "EXPECTED"u8,
        FlowStatus.SeenReply => "SEEN_REPLY"u8,
        FlowStatus.Assured => "ASSURED"u8,
        FlowStatus.Confirmed => "CONFIRMED"u8,
        FlowStatus.SourceNat => "SRC_NAT"u8,
        FlowStatus.DestinationNat => "DST_NAT"u8,
        FlowStatus.SequenceAdjust => "SEQ_ADJUST"u8,
        FlowStatus.SourceNatDone => "SRC_NAT_DONE"u8,
        FlowStatus.DestinationNatDone => "DST_NAT_DONE"u8,
        FlowStatus.Dying => "DYING"u8,
        FlowStatus.FixedTimeout => "FIXED_TIMEOUT"u8,
        FlowStatus.Template => "TEMPLATE"u8,
        FlowStatus.NatClash => "NAT_CLASH"u8,
        FlowStatus.Helper => "HELPER"u8,
        FlowStatus.Offload => "OFFLOAD"u8,
        FlowStatus.HardwareOffload => "HW_OFFLOAD"u8,
        _ => default,
    };
}
