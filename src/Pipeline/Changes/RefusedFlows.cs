namespace ConntrackStream.Pipeline.Changes;

/// <summary>
/// The kernel refused new connections, or pushed flows out for them: by how much its counters grew between two looks. What was refused has
/// no flow, and so no other record.
/// </summary>
/// <param name="From">Before the earlier look, ns since the Unix epoch.</param>
/// <param name="To">After the later one, ns since the Unix epoch.</param>
/// <param name="Dropped">Packets of new connections that were dropped: the table was full, or memory was short (drop).</param>
/// <param name="Evicted">Flows that were pushed out of the full table to make room (early_drop).</param>
/// <param name="ChainTooLong">New connections refused since their hash chain was too long (chaintoolong).</param>
public sealed record RefusedFlows(long From, long To, long Dropped, long Evicted, long ChainTooLong);
