using System.Net;

namespace ConntrackStream.Service.Demo;

/// <summary>
/// The demo's two networks: a private one behind the gateway, and documentation prefixes (RFC 5737, RFC 3849) for the world outside.
/// </summary>
internal static class DemoAddresses
{
    internal const int PrefixLength4 = 24;
    internal const int PrefixLength6 = 64;

    /// <summary>The client's side of the gateway, and the gateway itself: what the flow log takes for local.</summary>
    internal static readonly string[] Inside = ["10.77.0.0/24", "fd77::/64", "127.0.0.0/8", "::1/128"];

    internal static readonly IPAddress GatewayLan4 = IPAddress.Parse("10.77.0.1");
    internal static readonly IPAddress Client4 = IPAddress.Parse("10.77.0.2");
    internal static readonly IPAddress GatewayWan4 = IPAddress.Parse("203.0.113.1");
    internal static readonly IPAddress Server4 = IPAddress.Parse("203.0.113.2");

    internal static readonly IPAddress GatewayLan6 = IPAddress.Parse("fd77::1");
    internal static readonly IPAddress Client6 = IPAddress.Parse("fd77::2");
    internal static readonly IPAddress GatewayWan6 = IPAddress.Parse("2001:db8:77::1");
    internal static readonly IPAddress Server6 = IPAddress.Parse("2001:db8:77::2");

    /// <summary>The gateway's public port that leads to <see cref="Published"/>.</summary>
    internal const ushort PublicPort = 8080;

    /// <summary>The client's web server, reached from outside only by destination NAT.</summary>
    internal static readonly IPEndPoint Published = new(Client4, 80);
}
