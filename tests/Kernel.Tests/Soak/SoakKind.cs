namespace ConntrackStream.Kernel.Tests.Soak;

/// <summary>What the node does to a flow, and so which key it has.</summary>
internal enum SoakKind : byte
{
    /// <summary>UDP from a pod, not translated: the key is the original tuple.</summary>
    Udp,

    /// <summary>The same with TCP, SYN_SENT all its life.</summary>
    Tcp,

    /// <summary>UDP from a pod in another conntrack zone.</summary>
    Zone,

    /// <summary>UDP from a pod, masqueraded behind its gate: the key is the original tuple.</summary>
    Masquerade,

    /// <summary>
    /// UDP to a pod by a port of the node, source and destination translated before its gate: the key is the reply tuple inverted.
    /// </summary>
    NodePort,

    /// <summary>Echo requests from a pod; flows to one destination share a key.</summary>
    Echo,
}
