using ConntrackStream.Kernel.Tests.Kit;

namespace ConntrackStream.Kernel.Tests.Soak;

/// <summary>The rules of a soak's namespaces, for <c>nft -f</c>. Timers that the driver renews make no events.</summary>
internal static class SoakRules
{
    /// <summary>A host that answers nothing, neither packets to its closed ports nor those that are not for it.</summary>
    internal const string Deaf =
        "table inet deaf { chain pre { type filter hook prerouting priority -400; meta l4proto { tcp, udp, icmp } drop; }; }";

    internal static string Node(
        VethLink outside, VethLink masqueraded, VethLink zoned, VethLink server, int firstNodePort, int firstServerPort,
        int nodePorts) => $$"""
        table inet soak {
            chain zones {
                type filter hook prerouting priority -300;
                iifname "{{zoned.Device}}" ct zone set {{SoakNode.OtherZone}};
            }
            chain events {
                type filter hook prerouting priority -150;
                ct state new ct event set new,destroy;
            }
            chain orphans {
                type filter hook forward priority 0;
                ip dscp {{PacketSender.OrphanDscp}} drop;
            }
            chain dials {
                type nat hook prerouting priority -100;
                {{string.Join("\n        ", Enumerable.Range(0, nodePorts).Select(i =>
                    $"ip daddr {outside.Address} udp dport {firstNodePort + i} dnat ip to {server.PeerAddress}:{firstServerPort + i};"))}}
            }
            chain leaves {
                type nat hook postrouting priority 100;
                ip saddr {{masqueraded.PeerAddress}} oifname "{{outside.Device}}" masquerade;
                oifname "{{server.Device}}" masquerade;
            }
        }

        """;
}
