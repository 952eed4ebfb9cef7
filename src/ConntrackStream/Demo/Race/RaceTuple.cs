using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Service.Demo.Race;

/// <summary>A tuple whose connection was closed: its entry is stale, until the pod uses the tuple again. Times are timestamps.</summary>
internal sealed class RaceTuple(MapKey key, bool isReset, bool isToBeReused, long closedAt)
{
    internal MapKey Key => key;

    internal ushort Port => key.Tuple.SourcePort;

    internal bool IsReset => isReset;

    internal bool IsToBeReused => isToBeReused;

    internal long ClosedAt => closedAt;

    /// <summary>When the kernel's table was seen not to have it any more.</summary>
    internal long? GoneAt { get; set; }

    /// <summary>The cleaner's last deletion of the entry.</summary>
    internal long? DeletedAt { get; set; }

    /// <summary>The connection that uses the tuple again.</summary>
    internal RaceConnection? Reuse { get; set; }
}
