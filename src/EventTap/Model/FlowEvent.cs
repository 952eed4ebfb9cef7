namespace ConntrackStream.EventTap.Model;

/// <summary>
/// The kernel's word for what happened (IPCTNL_MSG_CT_NEW with or without NLM_F_CREATE|NLM_F_EXCL, IPCTNL_MSG_CT_DELETE).
/// </summary>
public enum FlowEventType : byte
{
    /// <summary>NEW: the entry was put into the table.</summary>
    New = 0,

    /// <summary>UPDATE: its state, status, mark or labels changed. Only with <see cref="TapOptions.Updates"/>.</summary>
    Update = 1,

    /// <summary>DESTROY: the entry was removed; with its last counters, if nf_conntrack_acct is on.</summary>
    Destroy = 2,

    /// <summary>A row of a dump or the answer to a GET, not an event.</summary>
    Row = 3,
}

/// <summary>One decoded message.</summary>
public struct FlowEvent
{
    /// <summary>The entry as the message shows it.</summary>
    public Flow Flow;

    /// <summary>
    /// When it happened, ns since the Unix epoch: the kernel's event time where <see cref="FlowFields.EventTime"/> is set, else of receipt.
    /// </summary>
    public long Time;

    /// <summary>
    /// The netlink port id of the program whose request caused the event (nlmsg_pid); 0 when traffic or a timer did, and in a row.
    /// </summary>
    public uint PortId;

    /// <summary>What happened to it.</summary>
    public FlowEventType Type;
}
