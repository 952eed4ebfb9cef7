using System.Reflection;

namespace ConntrackStream.Service.Plugins;

/// <summary>What the runtime's loader means, in words that say what to do.</summary>
internal static class PluginFault
{
    /// <summary>Null for an exception that is not the loader's.</summary>
    internal static string? Of(Exception exception) => exception switch
    {
        BadImageFormatException => "it is not a .NET assembly, or is built for another processor",
        FileLoadException e when e.InnerException is { } inner && Of(inner) is { } text => text,
        FileLoadException e when IsAssemblyName(e.FileName) => Missing(e.FileName!),
        FileLoadException e => e.Message,
        FileNotFoundException e when IsAssemblyName(e.FileName) => Missing(e.FileName!),
        ReflectionTypeLoadException e =>
            e.LoaderExceptions.Select(inner => inner is null ? null : Of(inner)).FirstOrDefault(text => text is not null) ?? e.Message,
        TypeLoadException or MissingMethodException or MissingFieldException =>
            $"it is built against another version of the service's assemblies; build it against this one ({exception.Message})",
        _ => null,
    };

    private static bool IsAssemblyName(string? name) => name?.Contains(", Version=", StringComparison.Ordinal) == true;

    private static string Missing(string fullName)
    {
        AssemblyName name = new(fullName);
        string needed = $"it needs {name.Name} {name.Version}, which neither the service nor its own directory has";
        string ours = typeof(PluginFault).Assembly.GetName().Version!.ToString();
        return name.Name switch
        {
            _ when name.Name!.StartsWith("ConntrackStream.", StringComparison.Ordinal) => $"{needed}; build it against this version "
                + $"({ours})",
            _ when name.Name.StartsWith("System.", StringComparison.Ordinal) => $"{needed}; build it for net{Environment.Version.Major}.0, "
                + $"or put that file beside it",
            _ => $"{needed}; put {name.Name}.dll beside it",
        };
    }
}
