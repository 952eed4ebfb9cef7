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

        CheckSections(modules, options);
        foreach (StreamModule module in modules)
            Attach(module, OptionsOf(module, options), newBuilder(module.Section));
    }

    /// <summary>A plug-in's module of a section and its options, for a verb that attaches nothing.</summary>
    /// <param name="section">In any letters.</param>
    /// <returns>Null: there is none that is such.</returns>
    /// <exception cref="ConfigurationException">An assembly cannot be used, or its options are wrong.</exception>
    internal static (TPort Module, object Options)? Find<TPort>(
        ServiceOptions options, string section, ILogger logger, TimeProvider time)
        where TPort : class
    {
        List<StreamModule> modules = [];
        foreach (PluginAssembly assembly in options.Plugins.Sinks.Select(static spec => PluginSupport.Load(Key, spec)))
        {
            if (assembly.Has<StreamModule>())
                modules.Add(assembly.Create<StreamModule>(logger, time));
        }

        CheckSections(modules, options);
        StreamModule? found = modules.Find(module => module is TPort && module.Section.Equals(section, StringComparison.OrdinalIgnoreCase));
        return found is TPort port ? (port, OptionsOf(found, options)) : null;
    }

    private static void CheckSections(List<StreamModule> modules, ServiceOptions options)
    {
        IGrouping<string, StreamModule>? twice = modules.GroupBy(static module => module.Section, StringComparer.OrdinalIgnoreCase)
            .FirstOrDefault(static same => same.Skip(1).Any());
        if (twice is not null)
            throw new ConfigurationException([$"{Key}: several plug-ins have the section {twice.Key}"]);
        OptionsLoader.RefuseOthers(modules, options.Configured);
    }

    private static object OptionsOf(StreamModule module, ServiceOptions options) => OptionsLoader.Load(
        module, options.Configured, PluginSupport.IsPresent ? PluginAssembly.Properties : null);

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
