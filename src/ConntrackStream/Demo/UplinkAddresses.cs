using System.Net;

namespace ConntrackStream.Service.Demo;

/// <summary>The networks of the demo with two uplinks: a private one and documentation prefixes (RFC 5737).</summary>
internal static class UplinkAddresses
{
    internal const int LanLength = 24;
    internal const int UplinkLength = 25;

    internal const string PrivateLan = "10.77.0.0/24";
    internal const string PublicLan = "192.0.2.0/24";

    internal static readonly IPNetwork Uplink1 = IPNetwork.Parse("198.51.100.0/25");
    internal static readonly IPNetwork Uplink2 = IPNetwork.Parse("198.51.100.128/25");
    internal static readonly IPNetwork Servers = IPNetwork.Parse("203.0.113.0/24");

    /// <summary>Sources that are translated.</summary>
    internal static readonly IPAddress GatewayPrivate = IPAddress.Parse("10.77.0.1"), ClientPrivate = IPAddress.Parse("10.77.0.2");

    /// <summary>Sources that are routed as they are.</summary>
    internal static readonly IPAddress GatewayPublic = IPAddress.Parse("192.0.2.1"), ClientPublic = IPAddress.Parse("192.0.2.2");

    internal static readonly IPAddress Isp1 = IPAddress.Parse("198.51.100.1"), Gateway1 = IPAddress.Parse("198.51.100.2");
    internal static readonly IPAddress Isp2 = IPAddress.Parse("198.51.100.129"), Gateway2 = IPAddress.Parse("198.51.100.130");

    /// <summary>Which the set gains.</summary>
    internal static readonly IPAddress Server = IPAddress.Parse("203.0.113.20");

    internal static readonly IPAddress OtherServer = IPAddress.Parse("203.0.113.21");

    /// <summary>The uplink that a translated source belongs to; 0 for neither.</summary>
    internal static int UplinkOf(IPAddress seen) => seen.Equals(Gateway1) ? 1 : seen.Equals(Gateway2) ? 2 : 0;
}
