namespace ConntrackStream.Sinks.Text;

/// <summary>Which way a flow was opened, seen from this site; written in lower case.</summary>
public enum FlowDirection : byte
{
    /// <summary>Neither marks nor local networks are configured.</summary>
    Unknown,

    /// <summary>From outside to a local address.</summary>
    Ingress,

    /// <summary>From a local address to outside.</summary>
    Egress,

    /// <summary>Between local addresses.</summary>
    Internal,

    /// <summary>Between addresses that are not local: only passing through.</summary>
    Forward,
}
