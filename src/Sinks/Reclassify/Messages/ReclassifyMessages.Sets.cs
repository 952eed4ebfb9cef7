namespace ConntrackStream.Sinks.Reclassify.Messages;

/// <summary>Messages about sets.</summary>
internal static partial class ReclassifyMessages
{
    [LoggerMessage(3120, LogLevel.Information, "Set {Set} is waited for: {Reason}")]
    internal static partial void SetAwaited(this ILogger logger, string set, string reason);

    [LoggerMessage(3121, LogLevel.Information, "Set {Set} ({Type}) is mirrored: {Members} members")]
    internal static partial void SetRead(this ILogger logger, string set, string type, int members);

    [LoggerMessage(3122, LogLevel.Information, "Set {Set} is gone; it is waited for")]
    internal static partial void SetVanished(this ILogger logger, string set);

    [LoggerMessage(3123, LogLevel.Warning, "Flows cannot be looked up in {Set} ({Type}): it {Problem}")]
    internal static partial void SetCannotMatch(this ILogger logger, string set, string type, string problem);

    [LoggerMessage(3124, LogLevel.Warning, "Set {Set} could not be read; what was read before stands, and it is tried again: {Problem}")]
    internal static partial void SetReadFailed(this ILogger logger, string set, string problem);

    [LoggerMessage(3125, LogLevel.Warning, "{Lost} notifications of nftables were lost; its sets are read again")]
    internal static partial void SetNotificationsLost(this ILogger logger, long lost);

    [LoggerMessage(3126, LogLevel.Warning, "Set {Set} could not be asked about a flow, which stays where it is: {Problem}")]
    internal static partial void SetTestFailed(this ILogger logger, string set, string problem);

    [LoggerMessage(3127, LogLevel.Error, "The sets are not kept up with any longer: {Problem}")]
    internal static partial void SetReaderFailed(this ILogger logger, string problem);
}
