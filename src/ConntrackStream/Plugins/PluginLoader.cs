using ConntrackStream.Pipeline.Modules;

namespace ConntrackStream.Service.Plugins;

/// <summary>Plug-ins in the service's own process.</summary>
internal sealed class PluginLoader(ILoggerFactory loggers, TimeProvider time) : IPluginLoader
{
    public T Create<T>(string key, string spec)
        where T : class => PluginSupport.Load(key, spec).Create<T>(loggers.CreateLogger($"plug-in {spec}"), time);

    public string Describe<T>(string key, string spec)
        where T : class => PluginSupport.Load(key, spec).Describe<T>();
}
