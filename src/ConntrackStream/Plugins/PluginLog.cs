namespace ConntrackStream.Service.Plugins;

/// <summary>Messages about plug-ins.</summary>
internal static partial class PluginLog
{
    [LoggerMessage(4018, LogLevel.Information, "Plug-in {Type} of {Assembly} is loaded from {File}")]
    internal static partial void PluginLoaded(ILogger logger, string type, string assembly, string file);
}
