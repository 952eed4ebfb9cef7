namespace ConntrackStream.Sinks.Ipfix;

/// <summary>One collector in <c>/v1/status</c>.</summary>
/// <param name="Collector">As configured, with the port.</param>
/// <param name="State">Such as <c>connected</c>, or why it is not.</param>
/// <param name="IsConnected">Records are sent; over UDP, whether anybody takes them is unknown.</param>
/// <param name="LongFlows">Flows of which interim records have been sent.</param>
/// <param name="Counters">Since the start.</param>
public sealed record CollectorStatus(string Collector, string State, bool IsConnected, int LongFlows, CollectorCounters Counters);

/// <summary>The module in <c>/v1/status</c>.</summary>
public sealed record IpfixStatus(IReadOnlyList<CollectorStatus> Collectors);
