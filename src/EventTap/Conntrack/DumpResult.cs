namespace ConntrackStream.EventTap.Conntrack;

/// <summary>How a completed dump went.</summary>
/// <param name="Rows">Rows handed on. The kernel may repeat one, and may leave some out while its hash table is resized.</param>
/// <param name="Malformed">Rows, or datagrams, that could not be decoded.</param>
/// <param name="Interrupted">The kernel says that the table changed under the dump (NLM_F_DUMP_INTR);
/// ctnetlink practically never does.</param>
public readonly record struct DumpResult(long Rows, long Malformed, bool Interrupted);
