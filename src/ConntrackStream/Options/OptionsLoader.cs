using System.ComponentModel.DataAnnotations;
using System.Reflection;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Pipeline.Modules;

namespace ConntrackStream.Service.Options;

/// <summary>
/// Makes <see cref="ServiceOptions"/> from texts. It refuses what it does not know or understand, and says where that came from.
/// </summary>
internal static class OptionsLoader
{
    private const string PluginPrefix = $"{nameof(ServiceOptions.Plugins)}:";

    /// <exception cref="ConfigurationException">With every fault found.</exception>
    internal static ServiceOptions Load(ConfigurationSources sources)
    {
        ConfigurationValues values = sources.Read();
        ServiceOptions options = new() { Configured = values };
        IEnumerable<string> given = values.Keys.Where(static path => !IsOfPlugin(path));
        IReadOnlyList<OptionKey> keys = OptionCatalog.Of(options);
        List<string> faults = Bind(keys, given, values);
        if (faults.Count == 0)
            faults.AddRange(OptionsValidation.Validate(options, keys, values));
        return faults.Count == 0 ? options : throw new ConfigurationException(faults);
    }

    /// <summary>Options of a module that is a plug-in: its section is one below <c>Plugins</c>.</summary>
    /// <param name="properties">Of a section of it.</param>
    /// <exception cref="ConfigurationException">With every fault found.</exception>
    internal static object Load(StreamModule module, ConfigurationValues values, Func<object, PropertyInfo[]>? properties)
    {
        string section = PluginPrefix + module.Section;
        object options = module.NewOptions();
        OptionKey[] keys = [.. OptionCatalog.Of(options, $"{section}:", properties)];
        List<string> faults = Bind(keys, values.Keys.Where(path => IsIn(section, path)), values);
        if (faults.Count == 0)
            faults.AddRange(OptionsValidation.Validate(keys, values));
        return faults.Count == 0 ? options : throw new ConfigurationException(faults);
    }

    /// <summary>Sections below <c>Plugins</c> that no module has.</summary>
    /// <exception cref="ConfigurationException">There are some.</exception>
    internal static void RefuseOthers(IReadOnlyList<StreamModule> plugins, ConfigurationValues values)
    {
        string[] faults =
        [
            .. values.Keys.Where(IsOfPlugin)
                .Where(path => !plugins.Any(plugin => IsIn(PluginPrefix + plugin.Section, path)))
                .Select(path => $"{path}: no plug-in of Plugins:Sinks has this section [{values.SourceOf(path)}]"),
        ];
        if (faults.Length > 0)
            throw new ConfigurationException(faults);
    }

    /// <summary>Plugins:Section:Key, which only the plug-in can judge.</summary>
    private static bool IsOfPlugin(string path) =>
        path.StartsWith(PluginPrefix, StringComparison.OrdinalIgnoreCase) && path.IndexOf(':', PluginPrefix.Length) > 0;

    private static bool IsIn(string section, string path) => path.StartsWith($"{section}:", StringComparison.OrdinalIgnoreCase);

    /// <param name="given">What is configured; each must be a key.</param>
    /// <returns>Every fault found.</returns>
    private static List<string> Bind(IReadOnlyList<OptionKey> keys, IEnumerable<string> given, ConfigurationValues values)
    {
        List<string> faults =
        [
            .. given.Where(path => !keys.Any(key => key.Path.Equals(path, StringComparison.OrdinalIgnoreCase)))
                .Select(path => Unknown(path, values, keys)),
        ];
        foreach (OptionKey key in keys)
            Bind(key, values, faults);
        return faults;
    }

    private static void Bind(OptionKey key, ConfigurationValues values, List<string> faults)
    {
        if (key.ElementType is { } element)
        {
            if (Texts(key, values) is not { } texts)
                return;
            Array list = Array.CreateInstanceFromArrayType(key.Type, texts.Count);
            for (int at = 0; at < texts.Count; at++)
                list.SetValue(Parse(element, key, texts[at], faults), at);
            key.Value = list;
        }
        else if (values.Single(key.Path) is { Text: not null } text && Parse(key.Type, key, text, faults) is { } value)
        {
            key.Value = value;
        }
        else if (values.List(key.Path) is { Count: > 0 } elements)
        {
            faults.Add($"{key.Path}: a list is not {Allowed(key.Type, key)} [{elements.First().Source}]");
        }
    }

    private static List<ConfigurationText>? Texts(OptionKey key, ConfigurationValues values)
    {
        if (values.List(key.Path) is { } list)
            return [.. list];
        return values.Single(key.Path) is { Text: { } text, Source: { } source }
            ? [.. text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                .Select(part => new ConfigurationText(part, source))]
            : null;
    }

    private static object? Parse(Type type, OptionKey key, ConfigurationText text, List<string> faults)
    {
        if (OptionText.TryParse(type, key.Path, text.Text ?? "", out object? value))
            return value;
        faults.Add($"{key.Path}: \"{text.Text}\" is not {Allowed(type, key)} [{text.Source}]");
        return null;
    }

    private static string Allowed(Type type, OptionKey key) =>
        OptionText.Describe(type, key.Path, key.Property.GetCustomAttribute<RangeAttribute>());

    private static string Unknown(string path, ConfigurationValues values, IReadOnlyList<OptionKey> keys)
    {
        if (keys.FirstOrDefault(key => IsIn(path, key.Path)) is { } below)
            return $"{path}: is a section, which has no value itself; name a key in it, such as {below.Path} [{values.SourceOf(path)}]";
        string hint = EditDistance.Nearest(path, keys.Select(static key => key.Path)) is { } nearest
            ? $"did you mean {nearest}?"
            : "docs/configuration.md lists all keys";
        return $"{path}: no such key; {hint} [{values.SourceOf(path)}]";
    }
}
