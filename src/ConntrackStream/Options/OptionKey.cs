using System.Reflection;

namespace ConntrackStream.Service.Options;

/// <summary>One setting as the program knows it.</summary>
/// <param name="path">Full, such as <c>Tap:Reconnect:MaxDelay</c>.</param>
/// <param name="sections">From the root to the section that holds the value.</param>
/// <param name="property">Of that section.</param>
internal sealed class OptionKey(string path, IReadOnlyList<PropertyInfo> sections, PropertyInfo property)
{
    /// <summary>Such as <c>Tap:Reconnect:MaxDelay</c>.</summary>
    internal string Path { get; } = path;

    internal PropertyInfo Property { get; } = property;

    /// <summary>
    /// Section of the module whose options are the root of the properties; null where that is <see cref="ServiceOptions"/>.
    /// </summary>
    internal string? Module { get; init; }

    internal Type Type => Property.PropertyType;

    /// <summary>The element's type of a list, null for a single value.</summary>
    internal Type? ElementType => ElementOf(Type);

    internal object? Get(ServiceOptions options) => Property.GetValue(Owner(options));

    /// <summary>The section object that holds the value.</summary>
    internal object Owner(ServiceOptions options) => OwnerIn(Module is null ? options : options.Modules[Module]);

    /// <param name="root">The service's options, or a module's.</param>
    internal object OwnerIn(object root) => sections.Aggregate(root, static (owner, section) => section.GetValue(owner)!);

    internal static Type? ElementOf(Type type) => type switch
    {
        { IsArray: true } => type.GetElementType(),
        { IsGenericType: true } when type.GetGenericArguments() is [Type element]
            && type.IsAssignableFrom(typeof(List<>).MakeGenericType(element)) => element,
        _ => null,
    };
}
