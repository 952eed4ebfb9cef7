using System.Reflection;
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
    internal static void Attach(ServiceOptions options, Func<string, ModuleBuilder> newBuilder)
    {
        List<StreamModule> modules = [];
        foreach (string spec in options.Plugins.Sinks)
        {
            ModuleBuilder builder = newBuilder($"plug-in {spec}");
            PluginAssembly assembly = PluginSupport.Load(Key, spec);
            if (assembly.Has<StreamModule>())
                modules.Add(assembly.Create<StreamModule>(builder.Logger, builder.Host.Time));
            else
                AttachSink(assembly, builder);
        }

        IGrouping<string, StreamModule>? twice = modules.GroupBy(static module => module.Section, StringComparer.OrdinalIgnoreCase)
            .FirstOrDefault(static same => same.Skip(1).Any());
        if (twice is not null)
            throw new ConfigurationException([$"{Key}: several plug-ins have the section {twice.Key}"]);
        OptionsLoader.RefuseOthers(modules, options.Configured);
        Func<object, PropertyInfo[]>? properties = PluginSupport.IsPresent ? PluginAssembly.Properties : null;
        foreach (StreamModule module in modules)
            Attach(module, OptionsLoader.Load(module, options.Configured, properties), newBuilder(module.Section));
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

    private static void AttachSink(PluginAssembly assembly, ModuleBuilder builder)
    {
        builder.AddSink(() => assembly.Create<IFlowSink>(builder.Logger, builder.Host.Time));
        builder.AddCheck((_, _) => Task.FromResult<IEnumerable<CheckResult>>([PluginCheck.Run(assembly.Describe<IFlowSink>)]));
    }
}
