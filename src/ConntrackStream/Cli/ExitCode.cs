namespace ConntrackStream.Service.Cli;

/// <summary>What the process ends with.</summary>
internal static class ExitCode
{
    internal const int Done = 0;
    internal const int Failed = 1;

    /// <summary>Wrong usage or configuration.</summary>
    internal const int Usage = 2;

    internal const int NotPermitted = 3;

    /// <summary>Not supported by this kernel.</summary>
    internal const int NotSupported = 4;
}
