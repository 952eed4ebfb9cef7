using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.Loader;
using ConntrackStream.Sinks.Files;

namespace ConntrackStream.Service.Plugins;

/// <summary>
/// A plug-in's own assemblies. What the service itself has, in the version asked for or a newer one, is shared with it, the ports' types
/// above all; anything else comes from the plug-in's directory, where every file must be root's.
/// </summary>
[RequiresUnreferencedCode(PluginSupport.Reason)]
internal sealed class PluginLoadContext(string file) : AssemblyLoadContext(Path.GetFileNameWithoutExtension(file))
{
    private readonly AssemblyDependencyResolver _resolver = new(file);

    /// <exception cref="FileLoadException">A file that others than root could write.</exception>
    protected override Assembly? Load(AssemblyName assemblyName)
    {
        if (HasHost(assemblyName))
            return null; // the default context's
        return _resolver.ResolveAssemblyToPath(assemblyName) is { } found ? LoadFromAssemblyPath(Checked(found)) : null;
    }

    protected override nint LoadUnmanagedDll(string unmanagedDllName) =>
        _resolver.ResolveUnmanagedDllToPath(unmanagedDllName) is { } found ? LoadUnmanagedDllFromPath(Checked(found)) : 0;

    private static bool HasHost(AssemblyName name)
    {
        try
        {
            _ = Default.LoadFromAssemblyName(name);
            return true;
        }
        catch (Exception e) when (e is FileNotFoundException or FileLoadException) // none, or an older one
        {
            return false;
        }
    }

    private static string Checked(string file) =>
        RootOwned.Problem(file) is { } problem ? throw new FileLoadException($"{file} {problem}", file) : file;
}
