namespace ConntrackStream.Service.Conntrack.Syntax;

/// <summary>A command and its table, in the order of conntrack's enum ct_command.</summary>
internal enum CommandKind
{
    List,
    Create,
    Update,
    Delete,
    Get,
    Flush,
    Event,
    Version,
    Help,
    ExpectList,
    ExpectCreate,
    ExpectDelete,
    ExpectGet,
    ExpectFlush,
    ExpectEvent,
    Count,
    ExpectCount,
    Stats,
    ExpectStats,
    Add,

    /// <summary>No command was given: conntrack prints its help.</summary>
    None,
}
