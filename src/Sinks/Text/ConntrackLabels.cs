using System.Globalization;

namespace ConntrackStream.Sinks.Text;

/// <summary>
/// Names of label bits, as libnetfilter_conntrack reads them from a file of <c>bit name</c> lines. It takes 1024 bits; the kernel has 128.
/// </summary>
public sealed class ConntrackLabels
{
    public const string DefaultPath = "/etc/xtables/connlabel.conf"; // CONNLABEL_CFG

    private const int Bits = 1024; // MAX_BITS

    private static readonly char[] Spaces = [' ', '\t', '\r', '\v', '\f'];

    private readonly string?[] _names = new string?[Bits];
    private readonly Dictionary<string, int> _bits = new(StringComparer.Ordinal);

    /// <summary>As the library does: comments and lines it cannot use are skipped, the first of two equal bits or names wins.</summary>
    public static ConntrackLabels Parse(IEnumerable<string> lines)
    {
        ConntrackLabels labels = new();
        foreach (string line in lines)
        {
            if (!TryParseBit(line, out int bit, out string rest))
                continue;
            string name = rest.Trim(Spaces);
            if (name.Length > 0 && name.All(IsLabelCharacter) && labels._names[bit] is null && labels._bits.TryAdd(name, bit))
                labels._names[bit] = name;
        }

        return labels;
    }

    /// <exception cref="IOException">The file cannot be read.</exception>
    public static ConntrackLabels Load(string path) => Parse(File.ReadLines(path));

    /// <summary>Null when there is no such file: without names, conntrack shows no labels.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static ConntrackLabels? LoadIfThere() => File.Exists(DefaultPath) ? Load(DefaultPath) : null;

    /// <summary>There is not a single name.</summary>
    public bool IsEmpty => _bits.Count == 0;

    public string? NameOf(int bit) => _names[bit];

    public bool TryGetBit(string name, out int bit) => _bits.TryGetValue(name, out bit);

    /// <summary>strtoul(3) with base 0: decimal, 0x… or 0…; the name need not be set off from it.</summary>
    private static bool TryParseBit(string line, out int bit, out string rest)
    {
        string text = line.TrimStart(Spaces).TrimStart('+');
        bool isHex = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        int radix = isHex ? 16 : text.StartsWith('0') ? 8 : 10, at = isHex ? 2 : 0;
        (bit, rest) = (0, "");
        int begin = at;
        for (; at < text.Length && DigitOf(text[at]) < radix; at++)
            bit = Math.Min((bit * radix) + DigitOf(text[at]), Bits);
        rest = text[at..];
        return at > begin && bit < Bits;
    }

    private static int DigitOf(char character) => char.IsAsciiDigit(character) ? character - '0'
        : char.IsAsciiHexDigit(character) ? char.ToLowerInvariant(character) - 'a' + 10
        : int.MaxValue;

    private static bool IsLabelCharacter(char character) =>
        char.IsAsciiLetterOrDigit(character) || character is ' ' or '-'; // label_is_sane
}
