using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Service.Conntrack.Syntax;

/// <summary>The type of the answer to an ICMP request, for the reply tuple of an entry; as libnetfilter_conntrack has them.</summary>
internal static class IcmpAnswers
{
    /// <summary>What stands for no answer: the kernel refuses it in a new entry.</summary>
    private const byte None = 255;

    internal static byte TypeOf(FlowFamily family, byte type) => (family, type) switch
    {
        (FlowFamily.IPv4, 0) => 8, // ICMP_ECHOREPLY, ICMP_ECHO
        (FlowFamily.IPv4, 8) => 0,
        (FlowFamily.IPv4, 13) => 14, // ICMP_TIMESTAMP, ICMP_TIMESTAMPREPLY
        (FlowFamily.IPv4, 14) => 13,
        (FlowFamily.IPv4, 15) => 16, // ICMP_INFO_REQUEST, ICMP_INFO_REPLY
        (FlowFamily.IPv4, 16) => 15,
        (FlowFamily.IPv4, 17) => 18, // ICMP_ADDRESS, ICMP_ADDRESSREPLY
        (FlowFamily.IPv4, 18) => 17,
        (FlowFamily.IPv6, 128) => 129, // ICMPV6_ECHO_REQUEST, ICMPV6_ECHO_REPLY
        (FlowFamily.IPv6, 129) => 128,
        (FlowFamily.IPv6, 139) => 140, // ICMPV6_NI_QUERY, ICMPV6_NI_REPLY
        (FlowFamily.IPv6, 140) => 139,
        _ => None,
    };
}
