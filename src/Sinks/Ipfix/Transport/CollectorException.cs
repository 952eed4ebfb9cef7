namespace ConntrackStream.Sinks.Ipfix.Transport;

/// <summary>A collector cannot be reached, or not any longer: why.</summary>
internal sealed class CollectorException(string message, Exception? inner = null) : IOException(message, inner);
