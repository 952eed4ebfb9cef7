using ConntrackStream.Kernel.Tests.Kit;

namespace ConntrackStream.Kernel.Tests.Reclassify;

/// <content>Client1 further away, the gateway's own connections, and a gateway that is closed to the world.</content>
public sealed partial class UplinkRig
{
    private DelayingLink? _far;

    /// <summary>
    /// From now on what goes between client1 and the gateway takes so long, each way. Returns the link, owned by the rig.
    /// </summary>
    internal DelayingLink DelayClient1(TimeSpan delay)
    {
        Batch(Gateway, ["link del lan1"]);
        _far = new DelayingLink(Client1, "eth0", Gateway, "lan1", delay);
        Batch(Gateway, ["link set lan1 master lan up"]);
        Client1.Sysctl("net.ipv6.conf.eth0.accept_dad", "0");
        Batch(Client1, UplinkPlan.ClientLines(1));
        return _far;
    }

    /// <summary>From now on the gateway's own connections choose their uplink as those of the LAN do.</summary>
    public void RouteOwn() => Gateway.Rules(UplinkRules.Own);

    /// <summary>INPUT DROP, as on most routers: the gateway itself takes only what belongs to its own connections.</summary>
    public void DropInput() => Gateway.Rules(UplinkRules.InputDrop);
}
