namespace ConntrackStream.Sinks.Filtering;

/// <summary>What a condition can be asked of.</summary>
internal enum FilterScope
{
    /// <summary>A single tuple, such as the key of an eBPF map.</summary>
    Tuple,

    /// <summary>Both tuples and the id: it holds for a flow's whole life or not at all.</summary>
    Life,

    /// <summary>What changes in a flow's life.</summary>
    Moment,
}
