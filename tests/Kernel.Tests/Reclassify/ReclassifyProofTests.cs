using System.Net;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Sinks.Reclassify.Decide;

namespace ConntrackStream.Kernel.Tests.Reclassify;

/// <summary>Gateways on which the usual action would break a flow, or be in vain.</summary>
public sealed class ReclassifyProofTests
{
    private static readonly string[] NftSets = ["nft:inet/rig/app4=wan2", "nft:inet/rig/app6=wan2"];

    /// <summary>
    /// A leased line without translation and a translated internet uplink: the entry would keep its private source on the latter.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_flow_that_is_not_translated_is_deleted_where_the_wanted_uplink_translates(bool ipv6)
    {
        using UplinkRig rig = new(UplinkKind.Routed);
        rig.Gateway.Exec("nft", "add", "rule", "inet", UplinkRules.Table, "translate", "oifname", "wan2", "masquerade");
        IPAddress server = UplinkRig.ServerAddress(ipv6), other = UplinkRig.ServerAddress(ipv6, 1);
        rig.AddToSet(other);
        await using RunningReclassifier running = await RunningReclassifier.StartAsync(rig, NftSets);
        using UplinkEcho translated = rig.Udp(rig.Client2, other), flow = rig.Udp(rig.Client1, server);
        translated.Exchange();
        Assert.Equal(2, UplinkRig.UplinkOf(translated.Seen));
        flow.Exchange();
        Assert.Equal(0, UplinkRig.UplinkOf(flow.Seen));

        rig.AddToSet(server);
        FlowTuple tuple = UplinkRig.Tuple(IpProtocol.Udp, flow.Source, flow.Destination);
        Eventually.True(
            () => running.Log.Count("Deleted", tuple) + running.Log.Count("Re-marked", tuple) > 0,
            state: () => string.Join('\n', running.Log.All));
        flow.Request();
        flow.Answer();
        Assert.Equal(2, UplinkRig.UplinkOf(flow.Seen));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_flow_that_a_rule_by_source_keeps_on_its_uplink_is_left_there(bool ipv6)
    {
        using UplinkRig rig = new();
        rig.Gateway.Exec(
            "ip", ipv6 ? "-6" : "-4", "rule", "add", "from", ipv6 ? UplinkPlan.Lan6 : UplinkPlan.Lan, "table", "1", "pref", "1000");
        IPAddress server = UplinkRig.ServerAddress(ipv6);
        await using RunningReclassifier running = await RunningReclassifier.StartAsync(rig, NftSets);
        using UplinkEcho flow = rig.Udp(rig.Client1, server);
        flow.Exchange();
        uint id = rig.Entry(flow).Id;

        rig.AddToSet(server);
        FlowTuple tuple = UplinkRig.Tuple(IpProtocol.Udp, flow.Source, flow.Destination);
        Eventually.True(
            () => running.Log.Count("Deleted", tuple) + running.Log.Count("Refused", tuple) > 0,
            state: () => string.Join('\n', running.Log.All));
        Assert.Equal(0, running.Log.Count("Deleted", tuple));
        Assert.NotEqual(0, running.Log.Count("Refused", tuple, "path_down")); // at its next look, and as the set has gained it
        Assert.Equal(id, rig.Entry(flow).Id);
    }

    /// <summary>
    /// As IPv6 with a provider's prefix: another provider drops what is not of its own, and would have the flow for ever.
    /// </summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_untranslated_flow_is_moved_only_to_where_its_source_is_answered(bool isDropped)
    {
        using UplinkRig rig = new(UplinkKind.Routed);
        rig.Gateway.Sysctl("net.netfilter.nf_conntrack_acct", "1"); // as the service does
        IPAddress server = UplinkRig.ServerAddress(ipv6: true);
        if (isDropped)
            rig.Gateway.Exec(
                "nft", "add", "rule", "inet", UplinkRules.Table, "tally", "oifname", "wan2", "ip6", "saddr", UplinkPlan.Lan6, "drop");
        await using RunningReclassifier running = await RunningReclassifier.StartAsync(rig, NftSets);
        using UplinkEcho flow = rig.Udp(rig.Client1, server), beside = rig.Udp(rig.Client1, server, 446);
        flow.Exchange(10);

        rig.AddToSet(server);
        beside.Request(); // it begins on wan2
        if (!isDropped)
            beside.Answer();
        FlowTuple tuple = UplinkRig.Tuple(IpProtocol.Udp, flow.Source, flow.Destination);
        Eventually.True(
            () =>
            {
                flow.Exchange(); // answered all the time
                return isDropped ? running.Counters.Of(Refusal.UnusedSource) >= 2 : running.Log.Count("Moved", tuple) > 0;
            },
            state: () => string.Join('\n', running.Log.All));
        Assert.Equal(isDropped ? (0, 0x100u) : (1, 0x200u), (running.Log.Count("Re-marked", tuple), rig.Entry(flow).Mark));
        Assert.Equal(isDropped, running.Log.Count("Moved", tuple) == 0);
    }
}
