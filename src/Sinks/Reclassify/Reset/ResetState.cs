namespace ConntrackStream.Sinks.Reclassify.Reset;

/// <summary>What the kernel said of a connection whose client is to be reset.</summary>
internal enum ResetState : byte
{
    /// <summary>There, and its client has not been reset.</summary>
    Open,

    /// <summary>
    /// TCP_CONNTRACK_CLOSE: the reset has passed (nf_ct_set_closing in nf_send_reset, since Linux 6.3; before, once an end has sent one
    /// itself).
    /// </summary>
    Closed,

    /// <summary>No entry, or a later connection's.</summary>
    Gone,

    /// <summary>In a flow table: its packets do not pass the rules any more.</summary>
    Offloaded,
}
