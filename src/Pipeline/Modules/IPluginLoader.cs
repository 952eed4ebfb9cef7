using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Pipeline.Modules;

/// <summary>Loads assemblies that the configuration names (docs/plugins.md).</summary>
public interface IPluginLoader
{
    /// <summary>An instance of its one public class that implements <typeparamref name="T"/>, or of the class that is named.</summary>
    /// <param name="key">The key of the configuration that names it, for messages.</param>
    /// <param name="spec"><c>/path/plugin.dll[:Full.Type.Name]</c></param>
    /// <exception cref="ConfigurationException">It is not root's, cannot be loaded, or has no such class.</exception>
    T Create<T>(string key, string spec)
        where T : class;

    /// <summary>Names the class that would be made, without making it.</summary>
    /// <inheritdoc cref="Create" path="/param"/>
    /// <inheritdoc cref="Create" path="/exception"/>
    string Describe<T>(string key, string spec)
        where T : class;
}
