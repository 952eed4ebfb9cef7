namespace ConntrackStream.Sinks.Fleet;

/// <summary>The connection cannot be made or used; its message says why, and what to do where that is known.</summary>
internal sealed class FleetFailureException(string message, Exception? inner = null) : IOException(message, inner);
