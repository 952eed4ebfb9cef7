using System.Globalization;

namespace ConntrackStream.Sinks.Text;

/// <summary>Names of the 128 label bits, as libnetfilter_conntrack reads them from a file of <c>bit name</c> lines.</summary>
public sealed class ConntrackLabels
{
    public const string DefaultPath = "/etc/xtables/connlabel.conf"; // CONNLABEL_CFG

    private const int Bits = 128; // NF_CT_LABELS_MAX_SIZE * 8

    private readonly string?[] _names = new string?[Bits];
    private readonly Dictionary<string, int> _bits = new(StringComparer.Ordinal);

    /// <summary>As the library does: comments and lines it cannot use are skipped, the first of two equal bits or names wins.</summary>
    public static ConntrackLabels Parse(IEnumerable<string> lines)
    {
        ConntrackLabels labels = new();
        foreach (string line in lines)
        {
            string text = line.Trim();
            int space = text.AsSpan().IndexOfAny(' ', '\t');
            if (space < 0 || !TryParseBit(text.AsSpan(0, space), out int bit))
                continue;
            string name = text[space..].Trim();
            if (name.All(IsLabelCharacter) && labels._names[bit] is null && labels._bits.TryAdd(name, bit))
                labels._names[bit] = name;
        }

        return labels;
    }

    /// <exception cref="IOException">The file cannot be read.</exception>
    public static ConntrackLabels Load(string path) => Parse(File.ReadLines(path));

    /// <summary>Null when there is no such file: without names, conntrack shows no labels.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static ConntrackLabels? LoadIfThere() => File.Exists(DefaultPath) ? Load(DefaultPath) : null;

    public string? NameOf(int bit) => _names[bit];

    public bool TryGetBit(string name, out int bit) => _bits.TryGetValue(name, out bit);

    private static bool TryParseBit(ReadOnlySpan<char> text, out int bit) =>
        (text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            ? int.TryParse(text[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out bit)
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out bit))
        && bit is >= 0 and < Bits;

    private static bool IsLabelCharacter(char character) =>
        char.IsAsciiLetterOrDigit(character) || character is ' ' or '-'; // label_is_sane
}
