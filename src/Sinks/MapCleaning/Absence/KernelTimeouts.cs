using ConntrackStream.EventTap.Conntrack;

namespace ConntrackStream.Sinks.MapCleaning.Absence;

/// <summary>
/// How long the kernel keeps a silent entry, and whether a packet in the middle of a TCP connection makes one: the namespace's
/// net.netfilter.nf_conntrack_*. The defaults are the kernel's own: in force until the sysctls have been
/// read, and for those that do not exist.
/// </summary>
internal sealed record KernelTimeouts
{
    /// <summary>nf_conntrack_tcp_timeout_established.</summary>
    public TimeSpan TcpEstablished { get; init; } = TimeSpan.FromDays(5);

    /// <summary>nf_conntrack_udp_timeout_stream.</summary>
    public TimeSpan UdpStream { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>nf_conntrack_sctp_timeout_established.</summary>
    public TimeSpan SctpEstablished { get; init; } = TimeSpan.FromSeconds(210);

    /// <summary>nf_conntrack_icmp_timeout.</summary>
    public TimeSpan Icmp { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>nf_conntrack_icmpv6_timeout.</summary>
    public TimeSpan IcmpV6 { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>nf_conntrack_gre_timeout_stream.</summary>
    public TimeSpan GreStream { get; init; } = TimeSpan.FromSeconds(180);

    /// <summary>nf_conntrack_generic_timeout.</summary>
    public TimeSpan Generic { get; init; } = TimeSpan.FromSeconds(600);

    /// <summary>
    /// nf_conntrack_tcp_loose: false when only a SYN makes an entry, so that a connection whose entry is gone never has one again.
    /// </summary>
    public bool TcpLoose { get; init; } = true;

    /// <summary>The longest of each protocol.</summary>
    public LongestTimeouts Longest { get; init; } = LongestTimeouts.Unknown;

    /// <summary>Reads the sysctls.</summary>
    /// <param name="sysctl">The value of net.netfilter.nf_conntrack_NAME; null where there is none.</param>
    public static KernelTimeouts Read(Func<string, long?> sysctl)
    {
        KernelTimeouts kernel = new();
        return new KernelTimeouts
        {
            TcpEstablished = Seconds("tcp_timeout_established", kernel.TcpEstablished),
            UdpStream = Seconds("udp_timeout_stream", kernel.UdpStream),
            SctpEstablished = Seconds("sctp_timeout_established", kernel.SctpEstablished),
            Icmp = Seconds("icmp_timeout", kernel.Icmp),
            IcmpV6 = Seconds("icmpv6_timeout", kernel.IcmpV6),
            GreStream = Seconds("gre_timeout_stream", kernel.GreStream),
            Generic = Seconds("generic_timeout", kernel.Generic),
            TcpLoose = sysctl("tcp_loose") != 0,
        };

        TimeSpan Seconds(string name, TimeSpan otherwise) => sysctl(name) is { } seconds ? TimeSpan.FromSeconds(seconds) : otherwise;
    }
}
