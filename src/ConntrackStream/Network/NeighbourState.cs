namespace ConntrackStream.Service.Network;

/// <summary>What the kernel knows of a neighbour's link address (NUD_* of linux/neighbour.h).</summary>
internal enum NeighbourState
{
    /// <summary>There is no entry.</summary>
    None,

    /// <summary>It is being asked (NUD_INCOMPLETE).</summary>
    Asked,

    /// <summary>It has not answered (NUD_FAILED).</summary>
    Failed,

    /// <summary>It has an address, or needs none: NUD_REACHABLE, NUD_STALE, NUD_DELAY, NUD_PROBE, NUD_PERMANENT, NUD_NOARP.</summary>
    Known,
}
