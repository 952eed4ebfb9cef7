namespace ConntrackStream.Sinks.Archive.Who;

/// <summary>Ids of flows are unique by themselves; host and namespace are kept for what a broken clone of a machine writes.</summary>
internal readonly record struct LifeKey(string? Host, string? NetworkNamespace, Guid Id);
