namespace ConntrackStream.Sinks.MapCleaning.Audit;

/// <summary>Why entries of live flows have vanished from the map although this service has not touched them.</summary>
internal enum LossCause : byte
{
    /// <summary>The map cannot have been full: somebody has deleted them.</summary>
    DeletedByOthers,

    /// <summary>The map is full: the kernel evicts.</summary>
    Evicted,

    /// <summary>The map may have been full between two scans, or was: either.</summary>
    Unknown,
}
