namespace ConntrackStream.EventTap.Netlink;

/// <summary>What the name of a network namespace leads to.</summary>
public enum NamespaceSight : byte
{
    /// <summary>The namespace that is held.</summary>
    Same,

    /// <summary>Another one.</summary>
    Replaced,

    /// <summary>None.</summary>
    Absent,
}
