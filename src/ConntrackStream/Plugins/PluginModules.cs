using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Service.Options;

namespace ConntrackStream.Service.Plugins;

/// <summary><c>Plugins:Sinks</c>: modules of other assemblies, with options below <c>Plugins</c>, and sinks without options.</summary>
internal static class PluginModules
{
    internal const string Key = "Plugins:Sinks";

    /// <param name="newBuilder">Of a section.</param>
    /// <exception cref="ConfigurationException">An assembly cannot be used, or its options are wrong.</exception>
    internal static void Attach(ServiceOptions options, IPluginLoader loader, Func<string, ModuleBuilder> newBuilder)
    {
        List<StreamModule> modules = [];
        foreach (string spec in options.Plugins.Sinks)
        {
            if (PluginAssembly.Load(Key, spec).Has<StreamModule>())
                modules.Add(loader.Create<StreamModule>(Key, spec));
            else
                AttachSink(spec, loader, newBuilder);
        }

        IGrouping<string, StreamModule>? twice = modules.GroupBy(static module => module.Section, StringComparer.OrdinalIgnoreCase)
            .FirstOrDefault(static same => same.Skip(1).Any());
        if (twice is not null)
            throw new ConfigurationException([$"{Key}: several plug-ins have the section {twice.Key}"]);
        OptionsLoader.RefuseOthers(modules, options.Configured);
        foreach (StreamModule module in modules)
            Attach(module, OptionsLoader.Load(module, options.Configured), newBuilder(module.Section));
    }

    /// <summary>The boundary to foreign code, which may throw anything.</summary>
    private static void Attach(StreamModule module, object options, ModuleBuilder builder)
    {
        try
        {
            module.Attach(options, builder);
        }
#pragma warning disable CA1031 // reported with its type
        catch (Exception e) when (e is not ConfigurationException)
#pragma warning restore CA1031
        {
            throw new ConfigurationException([$"{Key}: {module.GetType()} cannot be attached: {e.GetType()}: {e.Message}"]);
        }
    }

    private static void AttachSink(string spec, IPluginLoader loader, Func<string, ModuleBuilder> newBuilder)
    {
        ModuleBuilder builder = newBuilder($"plug-in {spec}");
        builder.AddSink(() => loader.Create<IFlowSink>(Key, spec));
        builder.AddCheck(
            (_, _) => Task.FromResult<IEnumerable<CheckResult>>([PluginCheck.Run(() => loader.Describe<IFlowSink>(Key, spec))]));
    }
}
