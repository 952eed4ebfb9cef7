namespace ConntrackStream.Service.Verbs.Top;

/// <summary>What the rows of the screen are.</summary>
internal enum TopView
{
    /// <summary>One flow each.</summary>
    Flows,

    /// <summary>Flows by the source of their original direction.</summary>
    Sources,

    /// <summary>Flows by the destination of their original direction.</summary>
    Destinations,

    /// <summary>Flows by protocol and destination port.</summary>
    Services,
}

/// <summary>By what the rows are in order, the most first.</summary>
internal enum TopSort
{
    /// <summary>Bytes a second.</summary>
    Rate,

    /// <summary>Packets a second.</summary>
    Packets,

    /// <summary>Bytes since the flow began.</summary>
    Bytes,

    /// <summary>Seconds since the flow began, in the view of flows; else the number of flows.</summary>
    Count,
}
