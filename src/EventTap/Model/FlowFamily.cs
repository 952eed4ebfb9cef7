namespace ConntrackStream.EventTap.Model;

/// <summary>Layer 3 family, numbered as the kernel does (linux/netfilter.h); .NET's own AddressFamily has other numbers.</summary>
public enum FlowFamily : byte
{
    Unspecified = 0, // NFPROTO_UNSPEC: both, in a dump request
    IPv4 = 2, // NFPROTO_IPV4
    IPv6 = 10, // NFPROTO_IPV6
}
