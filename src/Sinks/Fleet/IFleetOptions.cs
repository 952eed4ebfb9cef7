using ConntrackStream.Sinks.Fleet.Spool;

namespace ConntrackStream.Sinks.Fleet;

/// <summary>What the options of every engine have.</summary>
internal interface IFleetOptions
{
    /// <summary>Records of a message.</summary>
    int MaxRecords { get; }

    /// <summary>How long a record waits for others at most.</summary>
    TimeSpan Linger { get; }

    /// <summary>Messages that are sent before the first of them is acknowledged.</summary>
    int Window { get; }

    /// <summary>Memory for messages that are not acknowledged.</summary>
    long MemoryBytes { get; }

    /// <summary>Messages on disk.</summary>
    SpoolOptions Spool { get; }
}
