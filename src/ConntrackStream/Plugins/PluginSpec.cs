using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Service.Plugins;

/// <summary>
/// Names a plug-in: <c>/path/to/plugin.dll</c>, or <c>/path/to/plugin.dll:Full.Type.Name</c> where it has several of a kind.
/// </summary>
internal readonly record struct PluginSpec(string File, string? TypeName)
{
    private const string Extension = ".dll";

    /// <param name="key">The configuration key it is from.</param>
    /// <param name="text">As configured.</param>
    /// <exception cref="ConfigurationException">It is not of this form.</exception>
    internal static PluginSpec Parse(string key, string text)
    {
        int end = text.IndexOf(Extension + ":", StringComparison.Ordinal);
        PluginSpec spec = end < 0
            ? new PluginSpec(text, null)
            : new PluginSpec(text[..(end + Extension.Length)], text[(end + Extension.Length + 1)..]);
        return spec.File.StartsWith('/') && spec.File.EndsWith(Extension, StringComparison.Ordinal) && spec.TypeName is not ""
            ? spec
            : throw new ConfigurationException([$"{key}: \"{text}\" is not the absolute path of a .dll, with or without :Full.Type.Name"]);
    }
}
