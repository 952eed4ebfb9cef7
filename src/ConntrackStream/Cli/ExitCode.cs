namespace ConntrackStream.Service.Cli;

/// <summary>What the process ends with.</summary>
internal static class ExitCode
{
    internal const int Done = 0;
    internal const int Failed = 1;

    /// <summary>Wrong usage or configuration.</summary>
    internal const int Usage = 2;

    internal const int NotPermitted = 3;

    /// <summary>Of <c>health</c>: no service answers, whatever the reason. The number is that of init scripts (LSB).</summary>
    internal const int NotRunning = 3;

    /// <summary>Not supported by this kernel.</summary>
    internal const int NotSupported = 4;

    /// <summary>Of <c>who</c>: there was none, and the logs are complete.</summary>
    internal const int NoneAndComplete = 5;

    /// <summary>Of <c>who</c>: none was found, and the logs are not complete.</summary>
    internal const int NoneAndIncomplete = 6;
}
