using System.ComponentModel.DataAnnotations;

namespace ConntrackStream.Service.Options;

/// <summary>Makes <see cref="ServiceOptions"/> from texts. It refuses what it does not know or understand, and says where that came from.</summary>
internal static class OptionsLoader
{
    /// <exception cref="ConfigurationException">With every fault found.</exception>
    internal static ServiceOptions Load(ConfigurationSources sources)
    {
        ConfigurationValues values = sources.Read();
        ServiceOptions options = new();
        List<string> faults = [.. values.Keys.Where(static path => OptionCatalog.Find(path) is null).Select(path => Unknown(path, values))];
        foreach (OptionKey key in OptionCatalog.Keys)
        {
            Bind(key, values, options, faults);
        }

        if (faults.Count == 0)
            faults.AddRange(OptionsValidation.Validate(options, values));
        return faults.Count == 0 ? options : throw new ConfigurationException(faults);
    }

    private static void Bind(OptionKey key, ConfigurationValues values, ServiceOptions options, List<string> faults)
    {
        if (key.ElementType is { } element)
        {
            if (Texts(key, values) is not { } texts)
                return;
            Array list = Array.CreateInstance(element, texts.Count);
            for (int at = 0; at < texts.Count; at++)
            {
                list.SetValue(Parse(element, key, texts[at], faults), at);
            }

            key.Set(options, key.Type.IsInstanceOfType(list) ? list : Activator.CreateInstance(typeof(List<>).MakeGenericType(element), list));
        }
        else if (values.Single(key.Path) is { Text: not null } text && Parse(key.Type, key, text, faults) is { } value)
        {
            key.Set(options, value);
        }
        else if (values.List(key.Path) is { Count: > 0 } elements)
        {
            faults.Add($"{key.Path}: a list is not {OptionText.Describe(key.Type, key.Path)} [{elements.First().Source}]");
        }
    }

    private static List<ConfigurationText>? Texts(OptionKey key, ConfigurationValues values)
    {
        if (values.List(key.Path) is { } list)
            return [.. list];
        return values.Single(key.Path) is { Text: { } text, Source: { } source }
            ? [.. text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(part => new ConfigurationText(part, source))]
            : null;
    }

    private static object? Parse(Type type, OptionKey key, ConfigurationText text, List<string> faults)
    {
        if (OptionText.TryParse(type, key.Path, text.Text ?? "", out object? value))
            return value;
        faults.Add($"{key.Path}: \"{text.Text}\" is not {OptionText.Describe(type, key.Path)} [{text.Source}]");
        return null;
    }

    private static string Unknown(string path, ConfigurationValues values)
    {
        string source = values.Single(path)?.Source ?? values.List(path)?.FirstOrDefault()?.Source ?? "";
        string hint = OptionCatalog.Nearest(path) is { } nearest ? $"did you mean {nearest}?" : "docs/configuration.md lists all keys";
        return $"{path}: no such key; {hint} [{source}]";
    }
}
