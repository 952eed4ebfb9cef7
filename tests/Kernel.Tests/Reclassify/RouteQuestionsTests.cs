using System.Globalization;
using System.Net;
using System.Text.Json;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Sinks.Reclassify.Paths;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Kernel.Tests.Reclassify;

/// <summary>RouteQuestions' answers, judged by <c>ip -j route get</c>.</summary>
public sealed class RouteQuestionsTests : IDisposable
{
    private readonly UplinkNamespace _gateway = new();

    private RouteQuestions Questions => _gateway.Questions;

    public void Dispose() => _gateway.Dispose();

    [Theory]
    [InlineData("9.9.9.9", 0u, RouteKind.Uplink, "wan1", 254u, 0)]
    [InlineData("9.9.9.9", 0x100u, RouteKind.Uplink, "wan1", 101u, 0)]
    [InlineData("9.9.9.9", 0x200u, RouteKind.Uplink, "wan2", 102u, 0)]
    [InlineData("9.9.9.9", 0x55000255u, RouteKind.Uplink, "wan2", 102u, 0)]
    [InlineData("9.9.9.9", 0x300u, RouteKind.Uplink, "ppp0", 103u, 0)] // a default route without gateway
    [InlineData("192.168.1.9", 0u, RouteKind.Direct, "lan", 254u, 24)]
    [InlineData("198.51.100.9", 0u, RouteKind.Direct, "wan1", 254u, 24)]
    [InlineData("100.64.0.1", 0u, RouteKind.Direct, "ppp0", 254u, 32)]
    [InlineData("192.168.1.9", 0x200u, RouteKind.Uplink, "wan2", 102u, 0)]
    [InlineData("192.168.1.1", 0x200u, RouteKind.Local, "lan", 255u, 32)]
    [InlineData("2001:4860::8", 0u, RouteKind.Uplink, "wan1", 254u, 0)]
    [InlineData("2001:4860::8", 0x200u, RouteKind.Uplink, "wan2", 102u, 0)]
    [InlineData("fd00:1::9", 0u, RouteKind.Direct, "lan", 254u, 64)]
    [InlineData("fd00:1::1", 0u, RouteKind.Local, "lan", 255u, 128)]
    public void A_look_up_follows_rules_and_tables(
        string destination, uint mark, RouteKind kind, string device, uint table, int prefixLength)
    {
        RouteAnswer answer = Lookup(destination, mark);
        Assert.Equal(new RouteAnswer(kind, _gateway.IndexOf(device), table, prefixLength, Errno.None), answer);
    }

    [Theory]
    [InlineData("9.9.9.9", 0x3d00u, RouteKind.Blackhole)]
    [InlineData("9.9.9.9", 0x3e00u, RouteKind.Unreachable)]
    [InlineData("9.9.9.9", 0x3c00u, RouteKind.Prohibit)]
    [InlineData("2001:4860::8", 0x3d00u, RouteKind.Blackhole)]
    [InlineData("2001:4860::8", 0x3e00u, RouteKind.Unreachable)]
    [InlineData("2001:4860::8", 0x3c00u, RouteKind.Prohibit)]
    public void Rules_that_refuse_lead_nowhere(string destination, uint mark, RouteKind kind)
    {
        RouteAnswer answer = Lookup(destination, mark);
        Assert.Equal(kind, answer.Kind);
        Assert.Equal(0, answer.Interface);
        Assert.False(answer.Leads);
    }

    [Theory]
    [InlineData("unreachable", RouteKind.Unreachable)]
    [InlineData("prohibit", RouteKind.Prohibit)]
    [InlineData("blackhole", RouteKind.Blackhole)]
    public void Routes_that_refuse_lead_nowhere(string type, RouteKind kind)
    {
        _gateway.Ip("route", "add", type, "192.0.2.0/24");
        _gateway.Ip("-6", "route", "add", type, "2001:db8:9::/48");
        Assert.Equal(kind, Lookup("192.0.2.1", 0).Kind);
        Assert.Equal(kind, Lookup("2001:db8:9::1", 0).Kind);
        Assert.Equal(RouteKind.Uplink, Lookup("192.0.3.1", 0).Kind);
    }

    [Fact]
    public void Without_any_route_there_is_no_way()
    {
        foreach (string family in new[] { "-4", "-6" })
            _gateway.Ip(family, "route", "del", "default");
        Assert.Equal(new RouteAnswer(RouteKind.Unreachable, 0, 0, 0, Errno.ENETUNREACH), Lookup("9.9.9.9", 0));
        Assert.Equal(RouteKind.Unreachable, Lookup("2001:4860::8", 0).Kind);
        Assert.Equal(RouteKind.Uplink, Lookup("9.9.9.9", 0x100).Kind);
    }

    [Fact]
    public void Halves_of_a_default_route_are_no_networks_of_ones_own()
    {
        _gateway.Ip("route", "add", "0.0.0.0/1", "dev", "ppp0");
        _gateway.Ip("-6", "route", "add", "2000::/3", "dev", "wan2");
        Assert.Equal((RouteKind.Uplink, _gateway.IndexOf("ppp0"), 1), Short(Lookup("9.9.9.9", 0)));
        Assert.Equal((RouteKind.Uplink, _gateway.IndexOf("wan2"), 3), Short(Lookup("2001:4860::8", 0)));
        Assert.Equal((RouteKind.Uplink, _gateway.IndexOf("wan1"), 0), Short(Lookup("200.0.0.1", 0)));
    }

    [Fact]
    public void Of_several_next_hops_the_one_it_would_be_is_told()
    {
        _gateway.Ip(
            "route", "add", "192.0.2.0/24", "nexthop", "via", "198.51.100.1", "dev", "wan1", "nexthop", "via", "203.0.113.1",
            "dev", "wan2");
        int[] known = [_gateway.IndexOf("wan1"), _gateway.IndexOf("wan2")];
        HashSet<int> seen = [];
        for (int host = 1; host < 60; host++)
        {
            RouteAnswer answer = Lookup($"192.0.2.{host}", 0);
            Assert.Equal((RouteKind.Uplink, 24), (answer.Kind, answer.PrefixLength));
            Assert.Contains(answer.Interface, known);
            seen.Add(answer.Interface);
        }

        Assert.Equal(2, seen.Count);
    }

    [Fact]
    public void Next_hop_objects_are_followed()
    {
        _gateway.Ip("nexthop", "add", "id", "7", "via", "203.0.113.1", "dev", "wan2");
        _gateway.Ip("route", "add", "192.0.2.0/24", "nhid", "7");
        Assert.Equal((RouteKind.Uplink, _gateway.IndexOf("wan2"), 24), Short(Lookup("192.0.2.1", 0)));
    }

    [Fact]
    public void A_source_counts_in_rules_and_comes_in_where_it_is_reached()
    {
        _gateway.Ip("rule", "add", "pref", "100", "from", "192.168.1.50", "lookup", "102");
        _gateway.Ip("rule", "add", "pref", "101", "iif", "lan", "to", "192.0.2.0/24", "lookup", "103");
        Assert.Equal(_gateway.IndexOf("wan2"), Lookup("9.9.9.9", 0, "192.168.1.50").Interface);
        Assert.Equal(_gateway.IndexOf("wan1"), Lookup("9.9.9.9", 0, "192.168.1.51").Interface);
        Assert.Equal(_gateway.IndexOf("ppp0"), Lookup("192.0.2.1", 0, "192.168.1.51").Interface);
        Assert.Equal(_gateway.IndexOf("wan1"), Lookup("192.0.2.1", 0).Interface); // negative control: no source, no incoming interface
        Assert.Equal(_gateway.IndexOf("wan2"), Lookup("9.9.9.9", 0x200, "192.168.1.51").Interface);
        Assert.Equal(_gateway.IndexOf("wan2"), Lookup("2001:4860::8", 0x200, "fd00:1::51").Interface);
        Assert.Equal(RouteKind.Unreachable, Lookup("9.9.9.9", 0x3e00, "192.168.1.51").Kind);
        Assert.Equal(_gateway.IndexOf("wan1"), Lookup("9.9.9.9", 0, "192.168.1.1").Interface); // this machine's own
    }

    [Fact]
    public void Random_look_ups_agree_with_ip_route_get()
    {
        Random random = new(20261121);
        for (int i = 0; i < 30; i++)
            _gateway.Ip(
                "route", "replace", $"{random.Next(1, 224)}.{random.Next(256)}.0.0/16",
                "via", random.Next(2) == 0 ? "198.51.100.1" : "203.0.113.1",
                "table", random.Next(3) switch { 0 => "main", 1 => "101", _ => "102" });
        HashSet<int> interfaces = [];
        for (int i = 0; i < 300; i++)
        {
            IPAddress destination = random.Next(3) == 0
                ? new IpAddress(0x2000_0000_0000_0000 | (ulong)random.NextInt64() >> 3, (ulong)random.NextInt64())
                    .ToIPAddress(FlowFamily.IPv6)
                : new IpAddress(0, (uint)random.NextInt64(0x01000000, 0xdfffffff)).ToIPAddress(FlowFamily.IPv4);
            uint mark = (uint)random.Next(5) << 8;
            RouteAnswer answer = Lookup(destination.ToString(), mark);
            JsonElement? expected =
                _gateway.Json("route", "get", destination.ToString(), "mark", mark.ToString(CultureInfo.InvariantCulture));
            Assert.Equal(expected is null, !answer.Leads && answer.Kind != RouteKind.Local);
            if (expected is not { } route)
                continue;
            Assert.Equal(_gateway.IndexOf(route.GetProperty("dev").GetString()!), answer.Interface);
            Assert.Equal(
                route.TryGetProperty("gateway", out _) || route.GetProperty("dev").GetString() == "ppp0", answer.Kind == RouteKind.Uplink);
            interfaces.Add(answer.Interface);
        }

        Assert.True(interfaces.Count >= 3, "too uniform to prove anything");
    }

    [Fact]
    public void A_link_is_up_down_or_without_carrier()
    {
        Assert.Equal(new LinkAnswer(_gateway.IndexOf("wan2"), IsUp: true, IsRunning: true), Questions.Link("wan2"));
        // its operational state is unknown
        Assert.Equal(new LinkAnswer(_gateway.IndexOf("lo"), IsUp: true, IsRunning: true), Questions.Link("lo"));
        _gateway.Ip("link", "set", "wan2-far", "down");
        Eventually.True(() => Questions.Link("wan2") is { IsUp: true, IsRunning: false });
        Assert.Equal("is up, but has no carrier", Questions.Link("wan2").Problem);
        _gateway.Ip("link", "set", "wan2", "down");
        Assert.Equal("is down", Questions.Link("wan2").Problem);
        Assert.Equal("does not exist", Questions.Link("wan3").Problem);
    }

    [Fact]
    public void Addresses_are_the_own_global_ones()
    {
        _gateway.Ip("address", "add", "198.51.100.3/24", "dev", "wan1");
        _gateway.Ip("address", "add", "169.254.1.1/16", "dev", "wan1", "scope", "link");
        Assert.Equal(
            ["198.51.100.2/32", "198.51.100.3/32", "2001:db8:1::2/128"],
            Questions.Addresses("wan1").Select(address => address.ToString()).ToArray());
        Assert.Equal(["100.64.0.9/32"], Questions.Addresses("ppp0").Select(address => address.ToString()).ToArray()); // not the other end's
        Assert.Empty(Questions.Addresses("wan3"));
    }

    [Fact]
    public void Every_address_of_a_device_with_very_many_is_read()
    {
        const int Count = 1000; // some 80 kB: several messages of a dump
        _gateway.Ip("-6", "address", "flush", "dev", "wan2", "scope", "global");
        string batch = string.Join('\n', Enumerable.Range(0, Count).Select(i => $"address add 10.{i / 250}.{i % 250}.1/32 dev wan2"));
        string file = Path.GetTempFileName();
        File.WriteAllText(file, batch);
        _gateway.Ip("-batch", file);
        File.Delete(file);
        Assert.Equal(Count + 1, Questions.Addresses("wan2").Count);
    }

    [Fact]
    public void A_path_is_usable_while_one_of_its_devices_is()
    {
        UplinkPath path = new() { Name = "B", Devices = ["wan2", "wan3"] };
        Assert.True(Questions.IsUsable(path, FlowFamily.IPv4, out string? why));
        Assert.Null(why);
        Assert.True(Questions.IsUsable(path, FlowFamily.IPv6, out _));

        _gateway.Ip("-6", "address", "flush", "dev", "wan2", "scope", "global");
        Assert.True(Questions.IsUsable(path, FlowFamily.IPv6, out _)); // by its default route, in table 102
        _gateway.Ip("-6", "route", "flush", "table", "102");
        Assert.False(Questions.IsUsable(path, FlowFamily.IPv6, out why));
        Assert.Equal("wan2 has neither an IPv6 address nor a route; wan3 does not exist", why);

        _gateway.Ip("link", "set", "wan2", "down");
        Assert.False(Questions.IsUsable(path, FlowFamily.IPv4, out why));
        Assert.StartsWith("wan2 is down", why, StringComparison.Ordinal);
        Assert.True(Questions.IsUsable(new UplinkPath { Name = "C", Mark = new MarkMatch(1, 0xff) }, FlowFamily.IPv4, out _));
        Assert.False(Questions.IsUsable(new UplinkPath { Name = "C" }, FlowFamily.IPv4, out why));
        Assert.StartsWith("neither its device nor its mark", why, StringComparison.Ordinal);
        Assert.False(
            Questions.IsUsable(new UplinkPath { Name = "D", Family = FlowFamily.IPv6, Devices = ["wan1"] }, FlowFamily.IPv4, out why));
        Assert.Equal("path D does not carry IPv4", why);
    }

    [Fact]
    public void A_table_follows_the_addresses_of_the_devices()
    {
        Assert.True(PathTable.TryCreate(
            [new UplinkPath { Name = "A", Devices = ["wan1"] }, new UplinkPath { Name = "B", Devices = ["wan2"] }],
            out PathTable? table,
            out _));
        Flow flow = Masqueraded("203.0.113.2");
        Assert.Equal(default, table.Of(flow)); // nobody has looked yet
        SteppedTime time = new();
        table.Follow(Questions, time, NullLogger.Instance);
        Assert.Equal(("B", PathEvidence.SourceAddress), (table.Of(flow).Path?.Name, table.Of(flow).Evidence));
        Assert.Equal("A", table.Of(Masqueraded("2001:db8:1::2")).Path?.Name);

        _gateway.Ip("address", "del", "203.0.113.2/24", "dev", "wan2");
        _gateway.Ip("address", "add", "203.0.113.3/24", "dev", "wan2");
        Assert.Equal("B", table.Of(flow).Path?.Name); // within the second
        time.Step(TimeSpan.FromSeconds(1));
        Assert.Null(table.Of(flow).Path);
        Assert.Equal("B", table.Of(Masqueraded("203.0.113.3")).Path?.Name);
    }

    [Fact]
    public void Neither_look_ups_nor_dumps_leave_answers_behind()
    {
        for (int i = 0; i < 200; i++)
        {
            Assert.Equal(2, Questions.Addresses("wan1").Count);
            Assert.Equal(_gateway.IndexOf("wan1") > 0, Lookup("9.9.9.9", 0x100).Leads);
            Assert.False(Questions.Link("none").Exists);
            Assert.Equal(RouteKind.Unreachable, Lookup("9.9.9.9", 0x3e00).Kind);
        }
    }

    private RouteAnswer Lookup(string destination, uint mark, string? source = null)
    {
        IPAddress address = IPAddress.Parse(destination);
        return Questions.Lookup(
            FamilyOf(address), IpAddress.From(address), mark, source is null ? null : IpAddress.From(IPAddress.Parse(source)));
    }

    private static (RouteKind Kind, int Interface, int PrefixLength) Short(RouteAnswer answer) =>
        (answer.Kind, answer.Interface, answer.PrefixLength);

    private static Flow Masqueraded(string translated)
    {
        IPAddress address = IPAddress.Parse(translated);
        return new Flow
        {
            Original = new FlowTuple { Family = FamilyOf(address), Source = new IpAddress(0, 1) },
            Reply = new FlowTuple { Family = FamilyOf(address), Destination = IpAddress.From(address) },
            Present = FlowFields.BothTuples,
        };
    }

    private static FlowFamily FamilyOf(IPAddress address) =>
        address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? FlowFamily.IPv4 : FlowFamily.IPv6;

    private sealed class SteppedTime : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now;

        internal void Step(TimeSpan by) => _now += by.Ticks;
    }
}
