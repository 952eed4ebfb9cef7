namespace ConntrackStream.Sinks.Reclassify;

/// <summary>Guards of reclassification that a negative control takes away. The service has the defaults.</summary>
internal sealed record ReclassifyLevers
{
    /// <summary>False takes the flap guard and the path guard away.</summary>
    public bool Guards { get; init; } = true;
}
