namespace ConntrackStream.Sinks.Text;

/// <summary>How a recording is read.</summary>
public sealed record ReplayOptions
{
    /// <summary>Count lines that cannot be read and go on, instead of stopping at the first.</summary>
    public bool SkipBad { get; init; }

    /// <summary>The time zone and label names that conntrack's lines were printed with.</summary>
    public ConntrackTextOptions Text { get; init; } = ConntrackTextOptions.Default;
}
