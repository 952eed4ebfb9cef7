using System.Net;
using System.Text.Json;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Demo;
using ConntrackStream.Service.Network;

namespace ConntrackStream.Kernel.Tests;

/// <summary>RouteNetlink's requests, judged by <c>ip -j</c>.</summary>
public sealed class RouteNetlinkTests : IDisposable
{
    private readonly NetworkNamespace _left;
    private readonly NetworkNamespace _right;
    private readonly RouteNetlink _leftRoute;
    private readonly RouteNetlink _rightRoute;

    public RouteNetlinkTests()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root");
        _left = AnonymousNamespace.Create("cs-left");
        _right = AnonymousNamespace.Create("cs-right");
        _leftRoute = new RouteNetlink(_left);
        _rightRoute = new RouteNetlink(_right);
    }

    public void Dispose()
    {
        _leftRoute?.Dispose();
        _rightRoute?.Dispose();
        _left?.Dispose();
        _right?.Dispose();
    }

    [Fact]
    public void A_veth_pair_has_one_end_in_each_namespace()
    {
        _leftRoute.CreateVeth("a0", "b0", _right);
        _leftRoute.SetUp("a0");
        _rightRoute.SetUp("b0");

        Assert.Equal(["lo", "a0"], Links(_left));
        Assert.Equal(["lo", "b0"], Links(_right));
        Assert.Equal("UP", LinkState(_left, "a0"));
        Assert.Equal("UP", LinkState(_right, "b0"));
    }

    [Fact]
    public void Addresses_are_usable_at_once()
    {
        _leftRoute.CreateVeth("a0", "b0", _right);
        _rightRoute.SetUp("b0");
        _leftRoute.SetUp("a0");
        _leftRoute.AddAddress("a0", IPAddress.Parse("192.0.2.7"), 25);
        _leftRoute.AddAddress("a0", IPAddress.Parse("2001:db8::7"), 64);

        JsonElement[] addresses = [.. Json(_left, "addr", "show", "dev", "a0")[0].GetProperty("addr_info").EnumerateArray()];
        JsonElement ipv4 = Assert.Single(addresses, a => a.GetProperty("local").GetString() == "192.0.2.7");
        Assert.Equal(25, ipv4.GetProperty("prefixlen").GetInt32());
        JsonElement ipv6 = Assert.Single(addresses, a => a.GetProperty("local").GetString() == "2001:db8::7");
        Assert.Equal(64, ipv6.GetProperty("prefixlen").GetInt32());
        Assert.True(ipv6.GetProperty("nodad").GetBoolean());
        Assert.False(ipv6.TryGetProperty("tentative", out _));
    }

    [Theory]
    [InlineData("-4", "192.0.2.7", 24, "192.0.2.1", "198.51.100.0/24")]
    [InlineData("-6", "2001:db8::7", 64, "2001:db8::1", "2001:db8:1::/64")]
    public void Routes_lead_where_they_should(string family, string address, int prefixLength, string gateway, string destination)
    {
        _leftRoute.CreateVeth("a0", "b0", _right);
        _rightRoute.SetUp("b0");
        _leftRoute.SetUp("a0");
        _leftRoute.AddAddress("a0", IPAddress.Parse(address), prefixLength);
        _leftRoute.AddDefaultRoute(IPAddress.Parse(gateway), "a0");
        _leftRoute.AddRoute(IPNetwork.Parse(destination), gateway: null, "a0");

        JsonElement[] routes = Json(_left, family, "route");
        JsonElement fallback = Assert.Single(routes, r => r.GetProperty("dst").GetString() == "default");
        Assert.Equal(gateway, fallback.GetProperty("gateway").GetString());
        Assert.Equal("a0", fallback.GetProperty("dev").GetString());
        Assert.Equal("static", fallback.GetProperty("protocol").GetString());
        JsonElement direct = Assert.Single(routes, r => r.GetProperty("dst").GetString() == destination);
        Assert.False(direct.TryGetProperty("gateway", out _));
    }

    [Fact]
    public void A_failure_names_the_object_and_the_errno()
    {
        _leftRoute.CreateVeth("a0", "b0", _right);

        NetlinkException taken = Assert.Throws<NetlinkException>(() => _leftRoute.CreateVeth("a0", "c0", _right));
        Assert.Equal(Errno.EEXIST, taken.Errno);
        Assert.Contains("a0 and c0", taken.Message, StringComparison.Ordinal);
        NetlinkException absent = Assert.Throws<NetlinkException>(() => _leftRoute.AddAddress("x0", IPAddress.Parse("192.0.2.1"), 24));
        Assert.Equal(Errno.ENODEV, absent.Errno);
        Assert.Contains("link x0", absent.Message, StringComparison.Ordinal);
        NetlinkException unreachable =
            Assert.Throws<NetlinkException>(() => _leftRoute.AddDefaultRoute(IPAddress.Parse("192.0.2.1"), "a0"));
        Assert.Contains("0.0.0.0/0 via 192.0.2.1", unreachable.Message, StringComparison.Ordinal);
    }

    private static string[] Links(NetworkNamespace where) =>
        [.. Json(where, "link").Select(link => link.GetProperty("ifname").GetString()!)];

    private static string LinkState(NetworkNamespace where, string link) =>
        Json(where, "link", "show", "dev", link)[0].GetProperty("operstate").GetString()!;

    private static JsonElement[] Json(NetworkNamespace where, params string[] arguments)
    {
        using JsonDocument document = JsonDocument.Parse(NamespaceTool.Run(where, "ip", ["-j", .. arguments]));
        return [.. document.RootElement.EnumerateArray().Select(element => element.Clone())];
    }
}
