using System.Net;
using System.Net.Sockets;
using ConntrackStream.Kernel.Tests.Kit;

namespace ConntrackStream.Kernel.Tests.Reclassify;

/// <content>What belongs on wan2: the nft sets that the routing asks, and ipsets of the same content for classifiers.</content>
public sealed partial class UplinkRig
{
    private bool _hasIpsets;

    /// <summary>
    /// Addresses of this server belong on wan2 from now on: in the routing's set, and in the ipset of the same content where there is one.
    /// </summary>
    /// <param name="timeout">How long, in whole seconds; by default for ever.</param>
    public void AddToSet(IPAddress server, TimeSpan? timeout = null)
    {
        Nft("add", server, timeout);
        if (_hasIpsets)
            AddToIpset(server, timeout);
    }

    public void RemoveFromSet(IPAddress server)
    {
        Nft("delete", server);
        if (_hasIpsets)
            RemoveFromIpset(server);
    }

    /// <summary>Makes <c>app_1.v4</c> and <c>app_1.v6</c>, of type hash:ip with timeouts, empty. The routing never asks them.</summary>
    public void CreateIpsets()
    {
        Requirements.Tool("ipset");
        const string Sets = "create app_1.v4 hash:ip timeout 0\ncreate app_1.v6 hash:ip family inet6 timeout 0\n";
        ToolRun.Output("ip", ["netns", "exec", Gateway.Name, "ipset", "restore"], Sets);
        _hasIpsets = true;
    }

    /// <summary>Adds to the ipset alone: a classifier that asks it and the routing then disagree.</summary>
    public void AddToIpset(IPAddress server, TimeSpan? timeout = null) =>
        Gateway.Exec("ipset", "add", Ipset(server), server.ToString(), "timeout", $"{(int)(timeout?.TotalSeconds ?? 0)}");

    /// <summary>Removes from the ipset alone.</summary>
    public void RemoveFromIpset(IPAddress server) => Gateway.Exec("ipset", "del", Ipset(server), server.ToString());

    private void Nft(string verb, IPAddress server, TimeSpan? timeout = null)
    {
        string set = server.AddressFamily == AddressFamily.InterNetworkV6 ? "app6" : "app4";
        string element = timeout is { } limit ? $"{server} timeout {(int)limit.TotalSeconds}s" : server.ToString();
        Gateway.Exec("nft", verb, "element", "inet", UplinkRules.Table, set, $"{{ {element} }}");
    }

    private static string Ipset(IPAddress like) => like.AddressFamily == AddressFamily.InterNetworkV6 ? "app_1.v6" : "app_1.v4";
}
