namespace ConntrackStream.Pipeline.Configuration;

/// <summary>
/// A file or directory that a setting names is not as it must be: starting again would not help. The process ends as for wrong usage.
/// </summary>
public sealed class SettingFaultException(string message, Exception? inner = null) : IOException(message, inner);
