using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Text;

/// <summary>What libnetfilter_conntrack 1.0.9 takes for NAT: tuples that differ, once the kernel has decided on a translation.</summary>
public static class ConntrackNat
{
    /// <summary>NFCT_GOPT_IS_SNAT: the source's address is translated.</summary>
    public static bool IsSourceTranslated(this in Flow flow) =>
        IsDecided(in flow, FlowStatus.SourceNatDone) && flow.Reply.Destination != flow.Original.Source;

    /// <summary>NFCT_GOPT_IS_DNAT: the destination's address is translated.</summary>
    public static bool IsDestinationTranslated(this in Flow flow) =>
        IsDecided(in flow, FlowStatus.DestinationNatDone) && flow.Reply.Source != flow.Original.Destination;

    /// <summary>
    /// NFCT_GOPT_IS_SPAT: the source's port is translated. ICMP's type and code are compared with its id, so it nearly always is.
    /// </summary>
    public static bool IsSourcePortTranslated(this in Flow flow) =>
        IsDecided(in flow, FlowStatus.SourceNatDone) && flow.Reply.DestinationPort != flow.Original.SourcePort;

    /// <summary>NFCT_GOPT_IS_DPAT: the destination's port is translated; of ICMP, see <see cref="IsSourcePortTranslated"/>.</summary>
    public static bool IsDestinationPortTranslated(this in Flow flow) =>
        IsDecided(in flow, FlowStatus.DestinationNatDone) && flow.Reply.SourcePort != flow.Original.DestinationPort;

    private static bool IsDecided(in Flow flow, FlowStatus done) =>
        !flow.Has(FlowFields.Status) || (flow.Status & done) != FlowStatus.None;
}
