namespace ConntrackStream.EventTap.Model;

/// <summary>Layer 3 family, numbered as the kernel does (linux/netfilter.h); .NET's own AddressFamily has other numbers.</summary>
public enum FlowFamily : byte
{
    /// <summary>NFPROTO_UNSPEC: both, in a request for a dump or in a filter.</summary>
    Unspecified = 0,

    /// <summary>NFPROTO_IPV4.</summary>
    IPv4 = 2,

    /// <summary>NFPROTO_IPV6.</summary>
    IPv6 = 10,
}
