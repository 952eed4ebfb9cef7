namespace ConntrackStream.Sinks.Reclassify.Messages;

/// <summary>Messages about uplinks and rules.</summary>
internal static partial class ReclassifyMessages
{
    [LoggerMessage(3140, LogLevel.Warning, "The addresses of the uplinks' devices cannot be read, those last known go on: {Reason}")]
    internal static partial void AddressesNotRead(this ILogger logger, string reason);

    [LoggerMessage(3141, LogLevel.Information, "The addresses of the uplinks' devices are read again")]
    internal static partial void AddressesReadAgain(this ILogger logger);

    [LoggerMessage(3142, LogLevel.Information, "Rule file {Path} is read again: {Rules} rules")]
    internal static partial void RulesReloaded(this ILogger logger, string path, int rules);
}
