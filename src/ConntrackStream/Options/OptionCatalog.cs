using System.Reflection;
using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Service.Options;

/// <summary>Every key there is, found in the options themselves.</summary>
internal static class OptionCatalog
{
    /// <summary>The keys of the service and of its modules.</summary>
    internal static IReadOnlyList<OptionKey> Of(ServiceOptions options) =>
    [
        .. Of(options, ""),
        .. options.Modules.Sections.SelectMany(static module => Of(module.Value, $"{module.Key}:")),
    ];

    /// <summary>The keys of a section, and of those below.</summary>
    /// <param name="prefix">Of their paths.</param>
    /// <param name="foreign">The properties of a section that is not one of the service's own.</param>
    internal static IEnumerable<OptionKey> Of(object section, string prefix, Func<object, PropertyInfo[]>? foreign = null)
    {
        PropertyInfo[] properties = section is IOptionSection own ? Properties(own)
            : foreign?.Invoke(section) ?? throw new NotSupportedException($"{section.GetType()} is not an {nameof(IOptionSection)}");
        foreach (PropertyInfo property in properties.Where(static found => found.CanWrite))
        {
            if (IsSection(property.PropertyType))
            {
                foreach (OptionKey key in Of(property.GetValue(section)!, $"{prefix}{property.Name}:", foreign))
                    yield return key;
            }
            else
            {
                yield return new OptionKey(prefix + property.Name, section, property);
            }
        }
    }

    // The trimmer goes by a parameter's type, not by a pattern's.
    private static PropertyInfo[] Properties(IOptionSection section) => section.GetType().GetProperties();

    /// <summary>A class of ours, or of a plug-in: none of the framework's, which are values.</summary>
    private static bool IsSection(Type type) =>
        type.IsClass && !type.IsArray && type.Namespace?.StartsWith(nameof(System), StringComparison.Ordinal) != true;
}
