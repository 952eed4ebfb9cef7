using ConntrackStream.Service.Options;

namespace ConntrackStream.Service.Hosting;

/// <summary>What a reload finds changed in the configuration, and the running service goes on without.</summary>
internal static class ReloadedOptions
{
    private const string Taken = $"{nameof(ServiceOptions.Logging)}:{nameof(LoggingSettings.Level)}";
    private const string Plugins = $"{nameof(ServiceOptions.Plugins)}:";

    /// <summary>Keys alone: values may be secret.</summary>
    internal static IReadOnlyList<string> NotTaken(ServiceOptions running, ServiceOptions now) =>
    [
        .. OptionCatalog.Of(running).Zip(OptionCatalog.Of(now))
            .Where(static pair => pair.First.Path != Taken && pair.First.Text != pair.Second.Text)
            .Select(static pair => pair.First.Path),
        .. OfPlugins(running).Union(OfPlugins(now), StringComparer.OrdinalIgnoreCase)
            .Where(path => Text(running, path) != Text(now, path)),
    ];

    /// <summary>Their options are theirs, so they are compared as they are written.</summary>
    private static IEnumerable<string> OfPlugins(ServiceOptions options) => options.Configured.Keys.Where(path =>
        path.StartsWith(Plugins, StringComparison.OrdinalIgnoreCase) && path.IndexOf(':', Plugins.Length) > 0);

    private static string? Text(ServiceOptions options, string path) =>
        options.Configured.Single(path)?.Text
        ?? (options.Configured.List(path) is { } list ? string.Join(',', list.Select(static element => element.Text)) : null);
}
