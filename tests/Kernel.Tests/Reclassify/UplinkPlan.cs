using System.Net;

namespace ConntrackStream.Kernel.Tests.Reclassify;

/// <summary>
/// The addresses of the two-uplink world, and its links and routes as lines for <c>ip -batch</c>:
/// client1, client2 – (bridge lan) gateway (wan1, wan2) – wan1 and wan2, the routers – server.
/// </summary>
internal static class UplinkPlan
{
    /// <summary>How many addresses the server has: .10 to .14.</summary>
    internal const int Servers = 5;

    internal const string Lan = "192.168.1.0/24", Lan6 = "fd00:1::/64";

    internal static IPAddress Server(bool ipv6, int number) => Parse(ipv6 ? $"2001:db8:113::{10 + number}" : $"203.0.113.{10 + number}");

    internal static IPAddress Client(bool ipv6, int number) => Parse(ipv6 ? $"fd00:1::1{number}" : $"192.168.1.1{number}");

    /// <summary>The gateway's own on that uplink: what sources are translated to.</summary>
    internal static IPAddress Gateway(bool ipv6, int uplink) => Parse((uplink, ipv6) switch
    {
        (1, false) => "198.51.100.2",
        (1, true) => "2001:db8:1::2",
        (_, false) => "192.0.2.2",
        (_, true) => "2001:db8:2::2",
    });

    internal static IEnumerable<string> GatewayLinks(string[] clients, string[] routers)
    {
        yield return "link add lan type bridge";
        for (int i = 1; i <= 2; i++)
        {
            yield return $"link add lan{i} index {100 + i} type veth peer name eth0 netns {clients[i - 1]}";
            yield return $"link set lan{i} master lan up";
            yield return $"link add wan{i} index {200 + i} type veth peer name gateway netns {routers[i - 1]}";
            yield return $"link set wan{i} up";
        }

        yield return "address add 192.168.1.1/24 dev lan";
        yield return "address add fd00:1::1/64 dev lan nodad";
        yield return "link set lan up";
    }

    /// <summary>
    /// Marked packets leave by that uplink's table, which knows the LAN too, as mwan3's does: answers carry the mark as well.
    /// </summary>
    internal static IEnumerable<string> GatewayRules(UplinkKind kind)
    {
        for (int i = 1; i <= 2; i++)
            yield return $"rule add fwmark {UplinkRules.Mark(kind, i)}/{UplinkRules.Mask(kind)} table {i} pref {2000 + i}";
    }

    /// <summary>What the gateway loses when that uplink goes down.</summary>
    internal static IEnumerable<string> GatewayUplink(int uplink)
    {
        foreach (bool ipv6 in (bool[])[false, true])
        {
            IPAddress address = Gateway(ipv6, uplink);
            string all = ipv6 ? "::/0" : "0.0.0.0/0", via = $"via {Router(ipv6, uplink)} dev wan{uplink}";
            yield return ipv6 ? $"address replace {address}/64 dev wan{uplink} nodad" : $"address replace {address}/24 dev wan{uplink}";
            yield return $"route replace {all} {via} metric {100 * uplink}";
            yield return $"route replace {all} {via} table {uplink}";
            yield return $"route replace {(ipv6 ? Lan6 : Lan)} dev lan table {uplink}";
        }
    }

    internal static IEnumerable<string> ClientLines(int number) =>
    [
        $"address add {Client(ipv6: false, number)}/24 dev eth0",
        $"address add {Client(ipv6: true, number)}/64 dev eth0 nodad",
        "link set eth0 up",
        "route add 0.0.0.0/0 via 192.168.1.1",
        "route add ::/0 via fd00:1::1",
    ];

    internal static IEnumerable<string> RouterLines(int uplink, string server) =>
    [
        // Were both ends' indexes the same, the kernel would take its time (1 s) to notice the carrier: linkwatch_urgent_event.
        $"link add server index {100 + uplink} type veth peer name isp{uplink} netns {server}",
        $"address add {Router(ipv6: false, uplink)}/24 dev gateway",
        $"address add {Router(ipv6: true, uplink)}/64 dev gateway nodad",
        $"address add 10.{uplink}.0.1/24 dev server",
        $"address add fd00:a{uplink}::1/64 dev server nodad",
        "link set gateway up",
        "link set server up",
        $"route add 203.0.113.0/24 via 10.{uplink}.0.2",
        $"route add 2001:db8:113::/64 via fd00:a{uplink}::2",
        $"route add {Lan} via {Gateway(ipv6: false, uplink)}",
        $"route add {Lan6} via {Gateway(ipv6: true, uplink)}",
    ];

    internal static IEnumerable<string> ServerLines(UplinkKind kind)
    {
        for (int i = 1; i <= 2; i++)
        {
            yield return $"address add 10.{i}.0.2/24 dev isp{i}";
            yield return $"address add fd00:a{i}::2/64 dev isp{i} nodad";
            yield return $"link set isp{i} up";
            yield return $"route add {(i == 1 ? "198.51.100.0/24" : "192.0.2.0/24")} via 10.{i}.0.1";
            yield return $"route add 2001:db8:{i}::/64 via fd00:a{i}::1";
        }

        for (int i = 0; i < Servers; i++)
        {
            yield return $"address add {Server(ipv6: false, i)}/32 dev lo";
            yield return $"address add {Server(ipv6: true, i)}/128 dev lo nodad";
        }

        if (kind != UplinkKind.Routed)
            yield break; // private addresses are unknown out there
        yield return $"route add {Lan} via 10.1.0.1";
        yield return $"route add {Lan6} via fd00:a1::1";
    }

    private static string Router(bool ipv6, int uplink) => Gateway(ipv6, uplink).ToString()[..^1] + "1";

    private static IPAddress Parse(string text) => IPAddress.Parse(text);
}
