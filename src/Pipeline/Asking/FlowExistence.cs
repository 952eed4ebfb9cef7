namespace ConntrackStream.Pipeline.Asking;

/// <summary>Whether the kernel has an entry with one of some tuples.</summary>
public enum FlowExistence : byte
{
    /// <summary>ENOENT for each of them.</summary>
    None,
    Some,

    /// <summary>The kernel did not answer, or with another error: nothing may be deleted by it.</summary>
    Unknown,
}
