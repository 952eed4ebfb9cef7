using System.Globalization;

namespace ConntrackStream.EventTap.Filtering;

/// <summary>Protocols by the names and aliases of <c>/etc/protocols</c>, as getprotobyname(3) finds them, but in any case.</summary>
internal static class ProtocolFile
{
    private const string Path = "/etc/protocols"; // _PATH_PROTOCOLS
    private const int MostLines = 4096;

    private static readonly Lazy<Dictionary<string, byte>> Numbers = new(static () => Read(Path));

    /// <summary>False for a name that the file does not have. Without the file there is none.</summary>
    internal static bool TryGet(string name, out byte number) => Numbers.Value.TryGetValue(name, out number);

    /// <summary>Reads lines such as <c>esp 50 IPSEC-ESP # comment</c>; others are skipped. The first of two equal names wins.</summary>
    internal static Dictionary<string, byte> Parse(IEnumerable<string> lines)
    {
        Dictionary<string, byte> numbers = new(StringComparer.OrdinalIgnoreCase);
        foreach (string line in lines.Take(MostLines))
        {
            string[] words = line.Split('#')[0].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length < 2 || !byte.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out byte number))
                continue;
            numbers.TryAdd(words[0], number);
            foreach (string alias in words[2..])
                numbers.TryAdd(alias, number);
        }

        return numbers;
    }

    private static Dictionary<string, byte> Read(string path)
    {
        try
        {
            return Parse(File.ReadLines(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return []; // names that conntrack has itself, and numbers, need no file
        }
    }
}
