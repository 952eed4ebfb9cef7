namespace ConntrackStream.EventTap.Model;

/// <summary>The kernel's word for what happened (IPCTNL_MSG_CT_NEW with or without NLM_F_CREATE|NLM_F_EXCL, IPCTNL_MSG_CT_DELETE).</summary>
public enum FlowEventType : byte
{
    New = 0,
    Update = 1,
    Destroy = 2,

    /// <summary>A row of a dump or the answer to a GET, not an event.</summary>
    Row = 3,
}

/// <summary>One decoded message.</summary>
public struct FlowEvent
{
    public Flow Flow;

    /// <summary>When it happened, ns since the Unix epoch: the kernel's event time where <see cref="FlowFields.EventTime"/> is set, else of receipt.</summary>
    public long Time;

    /// <summary>The netlink port id of the program whose request caused the event (nlmsg_pid); 0 when traffic or a timer did, and in a row.</summary>
    public uint PortId;

    public FlowEventType Type;
}
