namespace ConntrackStream.Kernel.Tests.Reclassify;

/// <summary>The gateway's rules, for <c>nft -f</c>: how an uplink is chosen, what is translated, and counters of what leaves.</summary>
internal static class UplinkRules
{
    /// <summary>The table, of family inet.</summary>
    internal const string Table = "rig";

    /// <summary>The bits of the mark that choose: mwan3's mmx_mask, or pbr's fw_mask.</summary>
    internal static string Mask(UplinkKind kind) => kind == UplinkKind.Unmarked ? "0xff0000" : "0x3f00";

    /// <summary>Of a packet that leaves by this uplink.</summary>
    internal static string Mark(UplinkKind kind, int uplink) => (kind, uplink) switch
    {
        (UplinkKind.Unmarked, 1) => "0x10000",
        (UplinkKind.Unmarked, _) => "0x20000",
        (_, 1) => "0x100",
        _ => "0x200",
    };

    /// <summary>
    /// Of <see cref="UplinkKind.Masqueraded"/>: what the gateway sends of itself is marked and routed as what it forwards.
    /// </summary>
    internal const string Own = $$"""
        table inet {{Table}} {
            chain own {
                type route hook output priority mangle;
                {{KeptInConnmark}}
            }
        }
        """;

    internal const string InputDrop = $$"""
        table inet {{Table}} {
            chain closed {
                type filter hook input priority filter; policy drop;
                ct state established,related accept
                meta l4proto ipv6-icmp accept
            }
        }
        """;

    internal static string Of(UplinkKind kind) => $$"""
        table inet {{Table}} {
            set app4 { type ipv4_addr; flags timeout; }
            set app6 { type ipv6_addr; flags timeout; }
            counter out1 { }
            counter out2 { }
            counter leaked { }
            counter invalid { }
            chain choose {
                ip daddr @app4 meta mark set {{Mark(kind, 2)}} return
                ip6 daddr @app6 meta mark set {{Mark(kind, 2)}} return
                meta mark set {{Mark(kind, 1)}}
            }
            chain drop_invalid { }
            chain assign {
                type filter hook prerouting priority mangle;
                jump drop_invalid
                {{(kind == UplinkKind.Unmarked ? "iifname lan jump choose" : KeptInConnmark)}}
            }
            chain translate {
                type nat hook postrouting priority srcnat;
                {{(kind == UplinkKind.Routed ? "" : "oifname { wan1, wan2 } masquerade")}}
            }
            chain tally {
                type filter hook postrouting priority 300; # sources are translated by now
                oifname wan1 meta l4proto { tcp, udp } counter name out1
                oifname wan2 meta l4proto { tcp, udp } counter name out2
                oifname { wan1, wan2 } ip saddr {{UplinkPlan.Lan}} counter name leaked
                oifname { wan1, wan2 } ip6 saddr {{UplinkPlan.Lan6}} counter name leaked
            }
        }
        """;

    /// <summary>
    /// As mwan3_hook does it. Bits of the connmark beyond the mask belong to others and stay;
    /// connected networks get all ones, which no rule knows.
    /// </summary>
    private const string KeptInConnmark = """
        meta mark set ct mark and 0x3f00
                meta mark 0 iifname wan1 meta mark set 0x100
                meta mark 0 iifname wan2 meta mark set 0x200
                meta mark 0 fib daddr type local meta mark set 0x3f00
                meta mark 0 ip daddr 192.168.1.0/24 meta mark set 0x3f00
                meta mark 0 ip6 daddr fd00:1::/64 meta mark set 0x3f00
                meta mark 0 jump choose
                meta mark 0x100 ct mark set ct mark and 0xffffc0ff or 0x100
                meta mark 0x200 ct mark set ct mark and 0xffffc0ff or 0x200
                meta mark 0x3f00 ct mark set ct mark or 0x3f00
        """;
}
