using System.Reflection;

namespace ConntrackStream.Service.Options;

/// <summary>One setting as the program knows it: its full path and how to reach it in <see cref="ServiceOptions"/>.</summary>
internal sealed class OptionKey(string path, IReadOnlyList<PropertyInfo> sections, PropertyInfo property)
{
    /// <summary>Such as <c>Tap:Reconnect:MaxDelay</c>.</summary>
    internal string Path { get; } = path;

    internal PropertyInfo Property { get; } = property;

    internal Type Type => Property.PropertyType;

    /// <summary>The element's type of a list, null for a single value.</summary>
    internal Type? ElementType => ElementOf(Type);

    internal object? Get(ServiceOptions options) => Property.GetValue(Owner(options));

    internal void Set(ServiceOptions options, object? value) => Property.SetValue(Owner(options), value);

    /// <summary>The section object that holds the value.</summary>
    internal object Owner(ServiceOptions options) =>
        sections.Aggregate((object)options, static (owner, section) => section.GetValue(owner)!);

    internal static Type? ElementOf(Type type) => type switch
    {
        { IsArray: true } => type.GetElementType(),
        { IsGenericType: true } when type.GetGenericArguments() is [Type element] && type.IsAssignableFrom(typeof(List<>).MakeGenericType(element)) => element,
        _ => null,
    };
}
