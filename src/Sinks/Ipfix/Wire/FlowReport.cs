namespace ConntrackStream.Sinks.Ipfix.Wire;

/// <summary>What a record says of a flow beside its tuples.</summary>
/// <param name="Start">ns since the Unix epoch: of the flow, or of the time since its last record.</param>
/// <param name="End">ns since the Unix epoch.</param>
/// <param name="Counts">Of this time.</param>
/// <param name="EndReason">Why the record is written.</param>
/// <param name="IsEgress">From inside to outside; else it is written as ingress.</param>
/// <param name="FlowId">The second half of the flow log's <c>flow_id</c>.</param>
internal readonly record struct FlowReport(
    long Start, long End, FlowCounts Counts, FlowEndReason EndReason, bool IsEgress, ulong FlowId);
