using System.Globalization;

namespace ConntrackStream.Sinks.Reclassify.OpenWrt;

/// <summary>A section of a <see cref="UciFile"/>.</summary>
public sealed class UciSection
{
    private static readonly char[] Blanks = [' ', '\t', '\n', '\r'];

    private readonly Dictionary<string, List<string>> _values = new(StringComparer.Ordinal);

    internal UciSection(string type, string name, int line)
    {
        Type = type;
        Name = name;
        Line = line;
    }

    public string Type { get; }

    /// <summary>Its own, or the one libuci makes: <see cref="NameOf"/>.</summary>
    public string Name { get; }

    /// <summary>Where it begins, from 1.</summary>
    public int Line { get; }

    /// <summary>The names of its options and lists.</summary>
    public IEnumerable<string> Keys => _values.Keys;

    /// <summary>An option's value, of a list the last; null when there is none or an empty one.</summary>
    public string? Get(string key) => _values.TryGetValue(key, out List<string>? values) && values[^1].Length > 0 ? values[^1] : null;

    /// <summary>The values of a list, or of an option that has several between blanks; none when there is none.</summary>
    public IEnumerable<string> GetList(string key) =>
        _values.TryGetValue(key, out List<string>? values)
            ? values.SelectMany(value => value.Split(Blanks, StringSplitOptions.RemoveEmptyEntries))
            : [];

    /// <summary>
    /// 1, on, true, yes, enabled and their opposites, as config_get_bool of OpenWrt's functions.sh reads
    /// them; what is neither is the default.
    /// </summary>
    public bool GetBool(string key, bool fallback) => Get(key) switch
    {
        "1" or "on" or "true" or "yes" or "enabled" => true,
        "0" or "off" or "false" or "no" or "disabled" => false,
        _ => fallback,
    };

    internal void Put(string key, string value, bool isList)
    {
        if (isList && _values.TryGetValue(key, out List<string>? values))
            values.Add(value);
        else
            _values[key] = [value];
    }

    /// <summary>
    /// The name of an unnamed section: cfg, its place in the file as two hexadecimal digits, and 16 bits of a hash of its type, since it is
    /// named before its options are known. So the first section of /etc/config/dhcp, a dnsmasq, is cfg01411c
    /// everywhere. (libuci list.c: uci_fixup_section.)
    /// </summary>
    internal static string NameOf(string type, int place)
    {
        uint hash = 5381; // djbhash
        foreach (char c in type)
            hash = unchecked((hash * 33) + c);
        return string.Create(CultureInfo.InvariantCulture, $"cfg{place:x2}{hash & 0xffff:x4}");
    }
}
