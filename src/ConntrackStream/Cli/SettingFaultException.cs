namespace ConntrackStream.Service.Cli;

/// <summary>
/// A file or directory that a setting names is not as it must be: starting again would not help. Ends the process with
/// <see cref="ExitCode.Usage"/>.
/// </summary>
internal sealed class SettingFaultException(string message, Exception? inner = null) : IOException(message, inner);
