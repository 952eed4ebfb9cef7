namespace ConntrackStream.Service.Demo;

/// <summary>Conntrack's settings in the demo's gateway. Each of them belongs to the namespace; none is global.</summary>
internal static class DemoSysctls
{
    /// <summary>
    /// Counters and times on, so that records are complete, and timeouts (in seconds) short where a flow is over, so that its end is seen.
    /// A connection that is still open keeps the kernel's own timeout.
    /// </summary>
    internal static readonly (string Name, string Value)[] Conntrack =
    [
        ("netfilter.nf_conntrack_acct", "1"),
        ("netfilter.nf_conntrack_timestamp", "1"),
        ("netfilter.nf_conntrack_tcp_timeout_time_wait", "1"),
        ("netfilter.nf_conntrack_tcp_timeout_close", "1"),
        ("netfilter.nf_conntrack_udp_timeout", "1"),
        ("netfilter.nf_conntrack_udp_timeout_stream", "1"),
        ("netfilter.nf_conntrack_icmp_timeout", "1"),
        ("netfilter.nf_conntrack_icmpv6_timeout", "1"),
    ];
}
