namespace ConntrackStream.Kernel.Tests.Reclassify;

/// <summary>What the gateway between two uplinks does to flows.</summary>
public enum UplinkKind
{
    /// <summary>
    /// As mwan3: the uplink chosen for a flow's first packet is kept in its connmark (0x100, 0x200 under 0x3f00); sources are translated.
    /// </summary>
    Masqueraded,

    /// <summary>The same connmarks, nothing translated. All answers come back by wan1's router, whichever way the requests went.</summary>
    Routed,

    /// <summary>As pbr: each packet is looked up anew (0x10000, 0x20000 under 0xff0000), no connmark; sources are translated.</summary>
    Unmarked,
}
