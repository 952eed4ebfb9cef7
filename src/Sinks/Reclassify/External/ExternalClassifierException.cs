namespace ConntrackStream.Sinks.Reclassify.External;

/// <summary>The external classifier cannot be started or reached: which program or socket, why, and what to do.</summary>
public sealed class ExternalClassifierException(string message, Exception? inner = null) : IOException(message, inner);
