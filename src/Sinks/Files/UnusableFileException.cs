namespace ConntrackStream.Sinks.Files;

/// <summary>A file that the configuration names cannot be used: which, and why.</summary>
internal sealed class UnusableFileException(string message, Exception? inner = null) : IOException(message, inner);
