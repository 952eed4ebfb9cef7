namespace ConntrackStream.Sinks.Reclassify.Paths;

/// <summary>Which path a flow is on.</summary>
/// <param name="Path">The path; null when it cannot be told.</param>
/// <param name="Evidence">How it is known.</param>
public readonly record struct PathAnswer(UplinkPath? Path, PathEvidence Evidence);

/// <summary>How a flow's path is known.</summary>
public enum PathEvidence : byte
{
    /// <summary>It is not.</summary>
    Unknown,

    /// <summary>By the connmark.</summary>
    Mark,

    /// <summary>By the address its source was translated to, or that the gateway's own socket has.</summary>
    SourceAddress,
}
