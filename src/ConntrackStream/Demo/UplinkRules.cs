namespace ConntrackStream.Service.Demo;

/// <summary>
/// How the demo's gateway chooses an uplink, in the words of <c>ip -batch</c> and <c>nft -f</c>: as mwan3 does, by bits of the mark that
/// the connection keeps.
/// </summary>
internal static class UplinkRules
{
    internal const string Set = "app4";

    /// <summary>As Reclassify:Paths and Reclassify:Sets have them.</summary>
    internal static readonly string[] Paths = ["wan1 mark=0x100/0x3f00 dev=wan1", "wan2 mark=0x200/0x3f00 dev=wan2"];

    /// <inheritdoc cref="Paths"/>
    internal static readonly string[] Sets = [$"nft:inet/demo/{Set}=wan2"];

    internal static readonly string Routing = $"""
        route add 0.0.0.0/0 via {UplinkAddresses.Isp1} dev wan1 table 1
        route add 0.0.0.0/0 via {UplinkAddresses.Isp2} dev wan2 table 2
        rule add fwmark 0x100/0x3f00 table 1 pref 2001
        rule add fwmark 0x200/0x3f00 table 2 pref 2002

        """;

    internal static readonly string Filter = $$"""
        table inet demo {
            set {{Set}} { type ipv4_addr; }
            chain choose {
                type filter hook prerouting priority mangle;
                iifname != lan0 return
                meta mark set ct mark and 0x3f00
                meta mark 0 ip daddr @{{Set}} meta mark set 0x200
                meta mark 0 meta mark set 0x100
                ct mark set meta mark
            }
            chain translate {
                type nat hook postrouting priority srcnat;
                oifname { wan1, wan2 } ip saddr {{UplinkAddresses.PrivateLan}} masquerade
            }
        }
        """;

    /// <summary>What DPI does once it knows the application.</summary>
    internal static readonly string Recognised = $"add element inet demo {Set} {{ {UplinkAddresses.Server} }}";
}
