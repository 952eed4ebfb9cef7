namespace ConntrackStream.Service.Conntrack.Syntax;

/// <summary>What ends the command, in conntrack's own words.</summary>
internal sealed class ConntrackFault(int exitCode, string message) : Exception(message)
{
    /// <summary>Something failed (OTHER_PROBLEM).</summary>
    internal const int Other = 1;

    /// <summary>Wrong usage (PARAMETER_PROBLEM); how to get help is said, too.</summary>
    internal const int Parameter = 2;

    internal int ExitCode { get; } = exitCode;

    /// <summary>Wrong usage.</summary>
    internal static ConntrackFault Usage(string message) => new(Parameter, message);
}
