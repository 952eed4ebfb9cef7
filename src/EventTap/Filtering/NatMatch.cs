namespace ConntrackStream.EventTap.Filtering;

/// <summary>Which translation a flow must have, as <c>--any-nat</c>, <c>--src-nat</c> and <c>--dst-nat</c> of conntrack-tools.</summary>
public enum NatMatch : byte
{
    /// <summary>No condition.</summary>
    Ignore,

    /// <summary>Source or destination is translated.</summary>
    Any,

    /// <summary>The source is translated.</summary>
    Source,

    /// <summary>The destination is translated.</summary>
    Destination,

    /// <summary>Both are.</summary>
    Both,
}
