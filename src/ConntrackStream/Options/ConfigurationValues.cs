using System.Globalization;

namespace ConntrackStream.Service.Options;

/// <summary>A value's text (null = JSON null: keep the default) and where it came from.</summary>
internal sealed record ConfigurationText(string? Text, string Source);

/// <summary>
/// Texts by key, a later source over an earlier one. A list that a later source mentions in any form (<c>Key</c> with commas, or
/// <c>Key:0</c>, <c>Key:1</c>) replaces the earlier one whole, so that a shorter list is no mixture.
/// </summary>
internal sealed class ConfigurationValues
{
    private readonly Dictionary<string, ConfigurationText> _single = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, SortedDictionary<int, ConfigurationText>> _lists = new(StringComparer.OrdinalIgnoreCase);

    internal IEnumerable<string> Keys => _single.Keys.Concat(_lists.Keys);

    internal void Add(IEnumerable<KeyValuePair<string, string?>> values, string source)
    {
        foreach ((string path, string? text) in values)
        {
            int colon = path.LastIndexOf(':');
            if (colon > 0 && int.TryParse(path.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int index))
                AddElement(path[..colon], index, new ConfigurationText(text, source));
            else
                Replace(path, new ConfigurationText(text, source));
        }
    }

    internal ConfigurationText? Single(string path) => _single.GetValueOrDefault(path);

    /// <summary>Where a value came from; null where none was given.</summary>
    internal string? SourceOf(string path) => Single(path)?.Source ?? List(path)?.FirstOrDefault()?.Source;

    internal IReadOnlyCollection<ConfigurationText>? List(string path) => _lists.GetValueOrDefault(path)?.Values;

    private void Replace(string path, ConfigurationText value)
    {
        _lists.Remove(path);
        _single[path] = value;
    }

    private void AddElement(string path, int index, ConfigurationText value)
    {
        _single.Remove(path);
        if (!_lists.TryGetValue(path, out SortedDictionary<int, ConfigurationText>? list)
            || list.Values.Any(known => known.Source != value.Source))
            _lists[path] = list = [];
        list[index] = value;
    }
}
