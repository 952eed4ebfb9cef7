using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Service.Conntrack.Syntax;

/// <summary>What <c>-p</c> takes: a protocol with options, a name of /etc/protocols, or a number.</summary>
internal static class ProtocolNames
{
    private const string Database = "/etc/protocols";
    private const long LargestDatabase = 1 << 20; // bytes; Debian's has 3 kB
    private const ulong LargestNumber = 255; // IPPROTO_RAW

    /// <summary>Null: there is no such protocol. A name of the database stands for a protocol without options, as for conntrack.</summary>
    internal static ProtocolSyntax? Find(string text)
    {
        ProtocolSyntax? known = Array.Find(ProtocolSyntax.All, protocol => protocol.Name.Equals(text, StringComparison.OrdinalIgnoreCase));
        if (known is not null)
            return known;
        if (ByName(text) is { } named)
            return ProtocolSyntax.Other(named);
        ulong number = CNumber.ParseUnsigned(text, out string rest);
        return text.Length == 0 || rest.Length > 0 || number > LargestNumber ? null
            : Array.Find(ProtocolSyntax.All, protocol => (ulong)protocol.Number == number) ?? ProtocolSyntax.Other((IpProtocol)number);
    }

    /// <summary>The name in /etc/protocols; null when it has none.</summary>
    internal static string? NameOf(IpProtocol number) =>
        Entries().FirstOrDefault(entry => entry.Number == number).Names?[0];

    private static IpProtocol? ByName(string name)
    {
        foreach ((IpProtocol number, string[] names) in Entries())
        {
            if (names.Contains(name, StringComparer.Ordinal))
                return number;
        }

        return null;
    }

    /// <summary>Lines of a name, a number and other names; what cannot be read is skipped, and a missing file is an empty one.</summary>
    private static IEnumerable<(IpProtocol Number, string[] Names)> Entries()
    {
        FileInfo file = new(Database);
        if (!file.Exists || file.Length > LargestDatabase)
            yield break;
        foreach (string line in File.ReadLines(Database))
        {
            string[] words = line.Split('#')[0].Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            if (words.Length >= 2 && byte.TryParse(words[1], out byte number))
                yield return ((IpProtocol)number, [words[0], .. words[2..]]);
        }
    }
}
