using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace ConntrackStream.Sinks.Reclassify.Sets.Model;

/// <summary>Whose set it is.</summary>
public enum SetKind : byte
{
    Ipset,
    Nft,
}

/// <summary>Names a set in the kernel.</summary>
/// <param name="Kind">ipset or nftables.</param>
/// <param name="Family">nftables: the table's family, <c>ip</c>, <c>ip6</c> or <c>inet</c>; else empty.</param>
/// <param name="Table">nftables: the table; else empty.</param>
/// <param name="Name">The set.</param>
public sealed record SetName(SetKind Kind, string Family, string Table, string Name)
{
    private const string IpsetPrefix = "ipset:";
    private const string NftPrefix = "nft:";
    private const int MaxIpsetName = 31; // IPSET_MAXNAMELEN - 1
    private const int MaxNftName = 255; // NFT_NAME_MAXLEN - 1

    /// <summary>As in a rule: <c>ipset:app_1.v4</c>, <c>nft:inet/fw4/streaming4</c>.</summary>
    public string Text => Kind == SetKind.Ipset ? $"{IpsetPrefix}{Name}" : $"{NftPrefix}{Family}/{Table}/{Name}";

    /// <summary>As people say it: <c>ipset app_1.v4</c>, <c>nft inet fw4 streaming4</c>.</summary>
    public override string ToString() => Kind == SetKind.Ipset ? $"ipset {Name}" : $"nft {Family} {Table} {Name}";

    internal static SetName Ipset(string name) => new(SetKind.Ipset, "", "", name);

    internal static SetName Nft(string family, string table, string name) => new(SetKind.Nft, family, table, name);

    internal static bool TryParse(ReadOnlySpan<char> text, [NotNullWhen(true)] out SetName? name, [NotNullWhen(false)] out string? problem)
    {
        name = null;
        if (text.StartsWith(IpsetPrefix, StringComparison.Ordinal))
            return TryParseIpset(text[IpsetPrefix.Length..].ToString(), out name, out problem);
        if (text.StartsWith(NftPrefix, StringComparison.Ordinal))
            return TryParseNft(text[NftPrefix.Length..].ToString().Split('/'), out name, out problem);
        problem = "a set is named ipset:NAME or nft:FAMILY/TABLE/SET";
        return false;
    }

    private static bool TryParseIpset(string text, [NotNullWhen(true)] out SetName? name, [NotNullWhen(false)] out string? problem)
    {
        bool good = IsName(text, MaxIpsetName);
        name = good ? Ipset(text) : null;
        problem = good ? null : $"an ipset's name is 1 to {MaxIpsetName} bytes without spaces";
        return good;
    }

    private static bool TryParseNft(string[] parts, [NotNullWhen(true)] out SetName? name, [NotNullWhen(false)] out string? problem)
    {
        name = null;
        problem = parts switch
        {
            { Length: not 3 } => "an nftables set is named nft:FAMILY/TABLE/SET, such as nft:inet/fw4/streaming4",
            [not ("ip" or "ip6" or "inet"), ..] => $"an nftables set's family is ip, ip6 or inet, not '{parts[0]}'",
            _ when !IsName(parts[1], MaxNftName) || !IsName(parts[2], MaxNftName) =>
                $"an nftables name is 1 to {MaxNftName} bytes without spaces",
            _ => null,
        };
        if (problem is not null)
            return false;
        name = Nft(parts[0], parts[1], parts[2]);
        return true;
    }

    private static bool IsName(string name, int maxBytes)
    {
        foreach (char c in name)
        {
            if (char.IsWhiteSpace(c) || char.IsControl(c))
                return false;
        }

        return name.Length > 0 && Encoding.UTF8.GetByteCount(name) <= maxBytes;
    }
}
