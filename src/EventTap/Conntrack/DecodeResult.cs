namespace ConntrackStream.EventTap.Conntrack;

/// <summary>What became of one netlink message given to <see cref="FlowDecoder"/>.</summary>
public enum DecodeResult : byte
{
    /// <summary>Appended to the batch.</summary>
    Decoded,

    /// <summary>Well-formed, but nothing this library decodes (another subsystem or message type).</summary>
    Ignored,

    /// <summary>Truncated, misnested or out of bounds: counted, never fatal. Nothing was appended.</summary>
    Malformed,
}
