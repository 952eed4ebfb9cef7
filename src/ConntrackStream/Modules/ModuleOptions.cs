namespace ConntrackStream.Service.Modules;

/// <summary>The options of each module, by its section.</summary>
internal sealed class ModuleOptions
{
    /// <summary>In the order of the modules.</summary>
    internal OrderedDictionary<string, object> Sections { get; } = new(
        ServiceModules.Create().Select(static module => KeyValuePair.Create(module.Section, module.NewOptions())), StringComparer.Ordinal);

    internal object this[string section] => Sections[section];

    internal T Of<T>() => Sections.Values.OfType<T>().Single();
}
