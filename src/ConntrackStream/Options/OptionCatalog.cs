using System.Reflection;

namespace ConntrackStream.Service.Options;

/// <summary>Every key there is, found in the option classes themselves.</summary>
internal static class OptionCatalog
{
    internal static IReadOnlyList<OptionKey> Keys { get; } = [.. Walk(typeof(ServiceOptions), "", [])];

    internal static OptionKey? Find(string path) =>
        Keys.FirstOrDefault(key => key.Path.Equals(path, StringComparison.OrdinalIgnoreCase));

    /// <summary>The known key that a mistyped one most likely meant, or null when none is near.</summary>
    internal static string? Nearest(string path)
    {
        (int distance, string nearest) = Keys.Min(key => (EditDistance.Between(path, key.Path), key.Path));
        return distance <= Math.Max(2, path.Length / 3) ? nearest : null;
    }

    private static IEnumerable<OptionKey> Walk(Type type, string prefix, IReadOnlyList<PropertyInfo> sections)
    {
        foreach (PropertyInfo property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(static found => found.CanWrite))
        {
            if (IsSection(property.PropertyType))
            {
                foreach (OptionKey key in Walk(property.PropertyType, $"{prefix}{property.Name}:", [.. sections, property]))
                    yield return key;
            }
            else
            {
                yield return new OptionKey(prefix + property.Name, sections, property);
            }
        }
    }

    private static bool IsSection(Type type) =>
        type.IsClass && !type.IsArray && type.Namespace?.StartsWith(nameof(ConntrackStream), StringComparison.Ordinal) == true;
}
