namespace ConntrackStream.Service.Modules;

/// <summary>The options of each module, by its section.</summary>
internal sealed class ModuleOptions
{
    private readonly Dictionary<string, object> _sections =
        ServiceModules.Create().ToDictionary(static module => module.Section, static module => module.NewOptions(), StringComparer.Ordinal);

    internal object this[string section] => _sections[section];

    internal T Of<T>() => _sections.Values.OfType<T>().Single();
}
