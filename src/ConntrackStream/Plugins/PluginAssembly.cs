using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Sinks.Files;

namespace ConntrackStream.Service.Plugins;

/// <summary>
/// An assembly of somebody else's with a classifier, a sink or a module (docs/plugins.md). It runs within the service, with all of its
/// rights.
/// </summary>
[RequiresUnreferencedCode(PluginSupport.Reason)]
internal sealed class PluginAssembly
{
    private readonly string _key;
    private readonly PluginSpec _spec;
    private readonly Assembly _assembly;

    private PluginAssembly(string key, PluginSpec spec, Assembly assembly) => (_key, _spec, _assembly) = (key, spec, assembly);

    /// <param name="key">The configuration key that names it, for messages.</param>
    /// <param name="spec">See <see cref="PluginSpec"/>.</param>
    /// <exception cref="ConfigurationException">It is not root's, or not an assembly that can be loaded here.</exception>
    internal static PluginAssembly Load(string key, string spec)
    {
        PluginSpec parsed = PluginSpec.Parse(key, spec);
        if (RootOwned.Problem(parsed.File) is { } problem)
            throw new ConfigurationException([$"{key}: {parsed.File} {problem}"]);
        try
        {
            return new PluginAssembly(key, parsed, new PluginLoadContext(parsed.File).LoadFromAssemblyPath(parsed.File));
        }
        catch (Exception e) when (PluginFault.Of(e) is not null)
        {
            throw Fault(key, parsed, PluginFault.Of(e)!);
        }
    }

    /// <summary>Of the options of a plug-in's module.</summary>
    internal static PropertyInfo[] Properties(object section) => section.GetType().GetProperties();

    /// <summary>It has such a public class, or the one that is named is such.</summary>
    /// <exception cref="ConfigurationException">Its types cannot be read.</exception>
    internal bool Has<TPort>() => Guarded(() => _spec.TypeName is { } name
        ? _assembly.GetType(name) is { } named && IsPlugin(named, typeof(TPort))
        : _assembly.GetExportedTypes().Any(static type => IsPlugin(type, typeof(TPort))));

    /// <summary>For <c>doctor</c>: names the class that would be made, without making it.</summary>
    /// <exception cref="ConfigurationException">There is none, or more than one.</exception>
    internal string Describe<TPort>() => Guarded(() => $"{Find(typeof(TPort))} in {_spec.File}");

    private T Guarded<T>(Func<T> call)
    {
        try
        {
            return call();
        }
        catch (Exception e) when (PluginFault.Of(e) is not null)
        {
            throw Fault(PluginFault.Of(e)!);
        }
    }

    /// <summary>Its one public class that is such, or the one that was named.</summary>
    /// <exception cref="ConfigurationException">There is none, or more than one, or it cannot be constructed.</exception>
    internal TPort Create<TPort>(ILogger logger, TimeProvider time) => Guarded(() =>
    {
        Type type = Find(typeof(TPort));
        foreach (object[] arguments in new object[][] { [logger, time], [logger], [] })
        {
            Type[] kinds = [.. new[] { typeof(ILogger), typeof(TimeProvider) }.Take(arguments.Length)];
            if (type.GetConstructor(kinds) is not { } constructor)
                continue;
            TPort plugin = Construct<TPort>(constructor, arguments);
            AssemblyName assembly = _assembly.GetName();
            PluginLog.PluginLoaded(logger, type.FullName!, $"{assembly.Name} {assembly.Version}", _spec.File);
            return plugin;
        }

        throw Fault($"{type} has no public constructor that takes nothing, (ILogger) or (ILogger, TimeProvider); add one");
    });

    private TPort Construct<TPort>(ConstructorInfo constructor, object[] arguments)
    {
        try
        {
            return (TPort)constructor.Invoke(arguments);
        }
        catch (TargetInvocationException e)
        {
            Exception thrown = e.InnerException!;
            throw Fault(PluginFault.Of(thrown) ?? $"its constructor failed: {thrown.GetType()}: {thrown.Message}");
        }
    }

    private Type Find(Type port)
    {
        if (_spec.TypeName is { } name)
        {
            return _assembly.GetType(name) is not { } named ? throw Fault($"there is no type {name} in it")
                : IsPlugin(named, port) ? named
                : throw Fault($"{name} is not a public class that implements {port}");
        }

        Type[] found = [.. _assembly.GetExportedTypes().Where(type => IsPlugin(type, port))];
        return found switch
        {
            [Type only] => only,
            [] => throw Fault($"no public class in it implements {port}"),
            _ => throw Fault($"several classes in it implement {port.Name}: {string.Join(", ", found.Select(type => type.FullName))}; "
                + $"name one: {_spec.File}:{found[0].FullName}"),
        };
    }

    private static bool IsPlugin(Type type, Type port) =>
        type is { IsClass: true, IsAbstract: false, IsVisible: true, ContainsGenericParameters: false } && port.IsAssignableFrom(type);

    private ConfigurationException Fault(string text) => Fault(_key, _spec, text);

    private static ConfigurationException Fault(string key, PluginSpec spec, string text) => new([$"{key}: {spec.File}: {text}"]);
}
