namespace ConntrackStream.Sinks.Reclassify.Sets.Ipsets;

/// <summary>What a type's address dimension holds.</summary>
internal enum IpsetAddress : byte
{
    None,
    Address,
    Net,
}

/// <summary>What a type never holds.</summary>
internal enum IpsetLimit : byte
{
    None,
    NotZero, // hash_ip4_kadt refuses the address 0.0.0.0
    AddressRange, // of the set's header
    PortRange,
}

/// <summary>
/// The dimensions of a set type that conntrack tells: an address, then a port (with protocol) or mark, then another address.
/// </summary>
/// <param name="Name">The type, as <c>ipset create</c> takes it.</param>
/// <param name="Dimensions">dimension of struct ip_set_type.</param>
internal sealed record IpsetShape(
    string Name,
    byte Dimensions,
    IpsetAddress A,
    bool Port = false,
    bool Mark = false,
    IpsetAddress B = IpsetAddress.None,
    IpsetLimit Limit = IpsetLimit.None)
{
    internal const string List = "list:set";

    private static readonly IpsetShape[] _shapes =
    [
        new("bitmap:ip", 1, IpsetAddress.Address, Limit: IpsetLimit.AddressRange),
        new("bitmap:port", 1, IpsetAddress.None, Port: true, Limit: IpsetLimit.PortRange),
        new("hash:ip", 1, IpsetAddress.Address, Limit: IpsetLimit.NotZero),
        new("hash:net", 1, IpsetAddress.Net),
        new("hash:ip,mark", 2, IpsetAddress.Address, Mark: true),
        new("hash:net,net", 2, IpsetAddress.Net, B: IpsetAddress.Net),
        new("hash:ip,port", 2, IpsetAddress.Address, Port: true),
        new("hash:net,port", 2, IpsetAddress.Net, Port: true),
        new("hash:ip,port,ip", 3, IpsetAddress.Address, Port: true, B: IpsetAddress.Address),
        new("hash:ip,port,net", 3, IpsetAddress.Address, Port: true, B: IpsetAddress.Net),
        new("hash:net,port,net", 3, IpsetAddress.Net, Port: true, B: IpsetAddress.Net),
    ];

    /// <summary>Which dimension, from 0, the second address is.</summary>
    internal int IndexOfB => Dimensions - 1;

    /// <summary>Which dimension, from 0, the port is.</summary>
    internal int IndexOfPort => A == IpsetAddress.None ? 0 : 1;

    internal bool HasNets { get; } = A == IpsetAddress.Net || B == IpsetAddress.Net;

    /// <summary>Null: conntrack does not know what the type compares.</summary>
    internal static IpsetShape? Find(string type) => Array.Find(_shapes, shape => shape.Name == type);

    /// <summary>Why flows cannot be looked up in a set of a type.</summary>
    internal static string WhyNot(string type) =>
        type.Contains("mac", StringComparison.Ordinal) ? "needs MAC addresses, which conntrack does not tell"
        : type.Contains("iface", StringComparison.Ordinal) ? "needs interfaces, which conntrack does not tell"
        : "is a type that is not known here";
}
