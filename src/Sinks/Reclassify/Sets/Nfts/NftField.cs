namespace ConntrackStream.Sinks.Reclassify.Sets.Nfts;

/// <summary>
/// Types of a key's fields that a flow has, numbered as nft numbers its data types (enum datatypes in nftables' datatype.h).
/// </summary>
internal enum NftField : byte
{
    IPv4 = 7, // TYPE_IPADDR
    IPv6 = 8, // TYPE_IP6ADDR
    Protocol = 12, // TYPE_INET_PROTOCOL
    Service = 13, // TYPE_INET_SERVICE
    Mark = 19, // TYPE_MARK
}

internal static class NftFields
{
    internal static int Bytes(this NftField field) => field switch
    {
        NftField.IPv4 or NftField.Mark => 4,
        NftField.IPv6 => 16,
        NftField.Service => 2,
        _ => 1,
    };

    internal static string Name(this NftField field) => field switch
    {
        NftField.IPv4 => "ipv4_addr",
        NftField.IPv6 => "ipv6_addr",
        NftField.Protocol => "inet_proto",
        NftField.Service => "inet_service",
        _ => "mark",
    };

    internal static bool IsAddress(this NftField field) => field is NftField.IPv4 or NftField.IPv6;

    /// <summary>Why a type cannot be matched; null when it can.</summary>
    internal static string? WhyNot(uint type) => type switch
    {
        7 or 8 or 12 or 13 or 19 => null,
        5 or 9 => "needs MAC addresses, which conntrack does not tell", // TYPE_LLADDR, TYPE_ETHERADDR
        41 or 20 => "needs interfaces, which conntrack does not tell", // TYPE_IFNAME, TYPE_IFINDEX
        0 => "has a key type that the set does not name",
        _ => string.Create(
            System.Globalization.CultureInfo.InvariantCulture, $"has a key of nft's data type {type}, which is nothing of a flow"),
    };
}
