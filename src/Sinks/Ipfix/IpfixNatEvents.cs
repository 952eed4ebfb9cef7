namespace ConntrackStream.Sinks.Ipfix;

/// <summary>Which numbers natEvent (230) has in the log of translations.</summary>
public enum IpfixNatEvents
{
    /// <summary>No such log.</summary>
    Off,

    /// <summary>RFC 8158: NAT44 session create (4) and delete (5); for IPv6, which has no numbers there, 1 and 2.</summary>
    Session,

    /// <summary>Of before RFC 8158: NAT translation create (1) and delete (2).</summary>
    Translation,
}
