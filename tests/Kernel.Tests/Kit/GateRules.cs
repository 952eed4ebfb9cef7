namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>What the node does to the client's connections.</summary>
public enum GateNat
{
    None,

    /// <summary>The source becomes the node's.</summary>
    Masquerade,

    /// <summary>
    /// The client dials <see cref="GateRig.NodePort"/> of the node, which becomes the server's port, and the source the node's.
    /// </summary>
    MasqueradedNodePort,
}

/// <summary>The node's rules around a gate, for <c>nft -f</c>.</summary>
internal static class GateRules
{
    internal static string Of(GateNat nat, ushort zone, VethLink client, VethLink server, bool ipv6)
    {
        string rules = Raw(zone);
        if (nat != GateNat.None)
            rules += $"table inet gate_nat {{ chain post {{ type nat hook postrouting priority 100;"
                + $" oifname \"{server.Device}\" masquerade; }}; }}\n";
        if (nat != GateNat.MasqueradedNodePort)
            return rules;
        return rules + (ipv6
            ? NodePort("ip6", client.Address6.ToString(), $"[{server.PeerAddress6}]")
            : NodePort("ip", client.Address.ToString(), server.PeerAddress.ToString()));
    }

    /// <summary>One chain for both: a zone set later would undo notrack.</summary>
    private static string Raw(ushort zone) => $$"""
        table inet gate_raw {
            chain pre {
                type filter hook prerouting priority -300;
                meta l4proto { tcp, udp } th dport {{GateRig.UntrackedPort}} notrack accept;
                meta l4proto { tcp, udp } th sport {{GateRig.UntrackedPort}} notrack accept;
                {{(zone == 0 ? "" : $"ct zone set {zone};")}}
            }
        }

        """;

    private static string NodePort(string family, string node, string server) => $$"""
        table inet gate_node_port {
            chain pre {
                type nat hook prerouting priority -100;
                {{family}} daddr {{node}} meta l4proto { tcp, udp } th dport {{GateRig.NodePort}} dnat {{family}} to {{server}}:{{GateRig.ServerPort}};
            }
        }

        """;
}
