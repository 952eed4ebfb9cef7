using System.Reflection;

namespace ConntrackStream.Service.Options;

/// <summary>One setting as the program knows it.</summary>
/// <param name="Path">Full, such as <c>Tap:Reconnect:MaxDelay</c>.</param>
/// <param name="Section">The object that holds the value.</param>
/// <param name="Property">Of that object.</param>
internal sealed record OptionKey(string Path, object Section, PropertyInfo Property)
{
    internal Type Type => Property.PropertyType;

    /// <summary>The element's type of a list, null for a single value.</summary>
    internal Type? ElementType => Type.GetElementType();

    internal object? Value
    {
        get => Property.GetValue(Section);
        set => Property.SetValue(Section, value);
    }

    /// <summary>The value as it is configured.</summary>
    internal string Text => OptionText.Format(Value);
}
