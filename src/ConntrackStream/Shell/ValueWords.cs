using System.Text;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Service.Options;

namespace ConntrackStream.Service.Shell;

/// <summary>What a shell can offer as a value, by the name that the help gives it. A test passes each word to the parser.</summary>
internal static class ValueWords
{
    private static readonly Dictionary<string, string[]> Known = new(StringComparer.Ordinal)
    {
        ["BIT[,…]"] = ["ASSURED", "SEEN_REPLY", "FIXED_TIMEOUT"],
        ["EVENT[,…]"] = ["NEW", "UPDATE", "DESTROY", "ALL"],
        ["FAMILY"] = [FlowFamily.IPv4.Name(), FlowFamily.IPv6.Name()],
        ["FORM[,…]"] = ["text", "xml", "timestamp"],
        ["ORDER"] = ["rate", "packets", "bytes", "age"],
        ["PROTO"] = ["tcp", "udp", "udplite", "sctp", "dccp", "gre", "icmp", "icmpv6"],
        ["ROLE"] = ["client", "server"],
        ["SHELL"] = ["bash", "zsh", "fish"],
        ["STATE[,…]"] = [.. Enum.GetValues<TcpState>().Select(static state => Encoding.ASCII.GetString(state.Utf8Name()))],
        ["STATUS[,…]"] =
        [
            "ASSURED", "SEEN_REPLY", "UNREPLIED", "EXPECTED", "CONFIRMED", "FIXED_TIMEOUT", "OFFLOAD", "HELPER", "DYING", "SRC_NAT",
            "DST_NAT", "UNSET",
        ],
        ["TABLE|expect"] = ["conntrack", "expect", "dying", "unconfirmed"],
        ["TABLE"] = ["conntrack", "dying", "unconfirmed"],
        ["TYPE"] = ["text", "json"],
        ["TYPE[,…]"] = ["text", "json", "xml", "save", "extended", "id", "timestamp", "ktimestamp", "labels"],
    };

    /// <summary>For --set: every key, and what it is followed by; with its value where the words are known.</summary>
    internal static IReadOnlyList<string> Settings { get; } = [.. OptionCatalog.Of(new ServiceOptions()).SelectMany(Of)];

    private static IEnumerable<string> Of(OptionKey key)
    {
        Type type = Nullable.GetUnderlyingType(key.Type) ?? key.Type;
        IEnumerable<string> words = type == typeof(bool) ? ["true", "false"] : type.IsEnum ? OptionText.Names(type) : [""];
        return words.Select(word => $"{key.Path}={word}");
    }

    internal static IReadOnlyList<string> Of(string valueName) => Known.GetValueOrDefault(valueName, []);

    /// <summary>Such as FILE, FILE|DIRECTORY or PATH|id:N.</summary>
    internal static bool IsFile(string valueName) =>
        valueName.Split('|').Any(static part => part is "FILE" or "PATH" or "DIR" or "DIRECTORY");
}
