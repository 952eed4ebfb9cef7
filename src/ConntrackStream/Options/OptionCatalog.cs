using System.Reflection;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Service.Modules;

namespace ConntrackStream.Service.Options;

/// <summary>Every key there is, found in the option classes themselves.</summary>
internal static class OptionCatalog
{
    internal static IReadOnlyList<OptionKey> Keys { get; } =
    [
        .. Walk(typeof(ServiceOptions), "", module: null, []),
        .. ServiceModules.Create().SelectMany(static module => Of(module, module.Section)),
    ];

    /// <summary>The keys of a module.</summary>
    /// <param name="prefix">Of its section in the configuration.</param>
    internal static IEnumerable<OptionKey> Of(StreamModule module, string prefix) =>
        Walk(module.OptionsType, $"{prefix}:", module.Section, []);

    /// <summary>The key that a mistyped one most likely meant, or null when none is near.</summary>
    internal static string? Nearest(string path, IReadOnlyList<OptionKey> keys)
    {
        if (keys.Count == 0)
            return null;
        (int distance, string nearest) = keys.Min(key => (EditDistance.Between(path, key.Path), key.Path));
        return distance <= Math.Max(2, path.Length / 3) ? nearest : null;
    }

    private static IEnumerable<OptionKey> Walk(Type type, string prefix, string? module, IReadOnlyList<PropertyInfo> sections)
    {
        IEnumerable<PropertyInfo> settable =
            type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(static found => found.CanWrite);
        foreach (PropertyInfo property in settable)
        {
            if (IsSection(property.PropertyType))
            {
                foreach (OptionKey key in Walk(property.PropertyType, $"{prefix}{property.Name}:", module, [.. sections, property]))
                    yield return key;
            }
            else
            {
                yield return new OptionKey(prefix + property.Name, sections, property) { Module = module };
            }
        }
    }

    /// <summary>A class of ours, or of a plug-in: none of the framework's, which are values.</summary>
    private static bool IsSection(Type type) =>
        type.IsClass && !type.IsArray && type.Namespace?.StartsWith(nameof(System), StringComparison.Ordinal) != true;
}
