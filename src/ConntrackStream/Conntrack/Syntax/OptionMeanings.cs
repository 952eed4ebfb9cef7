using ConntrackStream.EventTap.Model;
using ConntrackStream.Service.Cli;
using static ConntrackStream.Service.Conntrack.Syntax.ProtocolOption;

namespace ConntrackStream.Service.Conntrack.Syntax;

/// <summary>conntrack's options in a few words each, for completions, the manual page and the help of <c>insert</c>.</summary>
internal static class OptionMeanings
{
    private static readonly string[] States =
        ["SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE", "LISTEN"];

    private static readonly string[] Statuses =
        ["ASSURED", "SEEN_REPLY", "UNREPLIED", "UNSET", "FIXED_TIMEOUT", "EXPECTED", "OFFLOAD", "HW_OFFLOAD"];

    // By the letter that getopt_long gives; what it warns of and ignores (-a) is offered nowhere.
    private static readonly (char Letter, string? Value, string Meaning, string[] Words)[] General =
    [
        ('L', null, "List a table: conntrack (default), expect, dying or unconfirmed", []),
        ('G', null, "Get one entry or expectation", []),
        ('D', null, "Delete entries or an expectation", []),
        ('I', null, "Create an entry or expectation", []),
        ('A', null, "Create an entry, unless it is there", []),
        ('U', null, "Update entries", []),
        ('E', null, "Show events", []),
        ('F', null, "Flush a table", []),
        ('C', null, "Count the entries or expectations", []),
        ('S', null, "Show statistics by CPU", []),
        ('V', null, "Show the version", []),
        ('h', null, "Show conntrack's help; with -p a protocol's", []),
        ('s', "ADDRESS", "Source of the original direction", []),
        ('d', "ADDRESS", "Destination of the original direction", []),
        ('r', "ADDRESS", "Source of the reply direction", []),
        ('q', "ADDRESS", "Destination of the reply direction", []),
        ('p', "PROTOCOL", "Protocol: a name or number; adds its own options", [.. ProtocolSyntax.All.Select(static p => p.Name)]),
        ('f', "FAMILY", "ipv4 or ipv6", ["ipv4", "ipv6"]),
        ('t', "SECONDS", "Timeout", []),
        ('u', "STATUS[,…]", "Status", Statuses),
        ('m', "MARK", "Mark, or MARK/MASK", []),
        ('c', "MARK", "Security mark", []),
        ('i', "ID", "The kernel's id of the entry", []),
        ('n', "ADDRESS[:PORT]", "What the source is translated to", []),
        ('g', "ADDRESS[:PORT]", "What the destination is translated to", []),
        ('j', "ADDRESS[:PORT]", "What source or destination is translated to", []),
        ('w', "ZONE", "Zone of both directions", []),
        ('(', "ZONE", "Zone of the original direction", []),
        (')', "ZONE", "Zone of the reply direction", []),
        ('l', "LABEL[,…]", "Labels by name", []),
        ('<', "LABEL[,…]", "Labels to set", []),
        ('>', "LABEL[,…]", "Labels to clear; without a value all", []),
        ('z', null, "Set counters to zero while listing", []),
        ('e', "EVENT[,…]", "Which events", ["ALL", "NEW", "UPDATES", "DESTROY"]),
        ('o', "TYPE[,…]", "Form of the output", ["xml", "save", "extended", "id", "timestamp", "ktimestamp", "labels", "userspace"]),
        ('b', "BYTES", "Size of the socket's buffer", []),
        ('[', "ADDRESS", "Source of the expected flow", []),
        (']', "ADDRESS", "Destination of the expected flow", []),
        ('{', "MASK", "Bits of the source that count", []),
        ('}', "MASK", "Bits of the destination that count", []),
    ];

    private static readonly (ProtocolOption Option, string Value, string Meaning, string[] Words)[] OfProtocol =
    [
        (SourcePort, "PORT", "Source port of the original direction", []),
        (DestinationPort, "PORT", "Destination port of the original direction", []),
        (ReplySourcePort, "PORT", "Source port of the reply direction", []),
        (ReplyDestinationPort, "PORT", "Destination port of the reply direction", []),
        (State, "STATE", "State of TCP, SCTP or DCCP", States),
        (IcmpType, "NUMBER", "Type of ICMP or ICMPv6", []),
        (IcmpCode, "NUMBER", "Code of ICMP or ICMPv6", []),
        (IcmpId, "NUMBER", "Id of ICMP or ICMPv6", []),
        (OriginalTag, "TAG", "SCTP verification tag of the original direction", []),
        (ReplyTag, "TAG", "SCTP verification tag of the reply direction", []),
        (Role, "ROLE", "DCCP role of the original source", ["client", "server"]),
        (MaskSourcePort, "MASK", "Bits of the expected source port that count", []),
        (MaskDestinationPort, "MASK", "Bits of the expected destination port that count", []),
        (TupleSourcePort, "PORT", "Source port of the expected flow", []),
        (TupleDestinationPort, "PORT", "Destination port of the expected flow", []),
    ];

    /// <summary>All options, commands among them.</summary>
    internal static IReadOnlyList<TakenOption> All { get; } =
    [
        .. General.Select(static one => Of(one.Letter, one.Value, one.Meaning, one.Words)),
        new TakenOption(["--load-file", "-R"], "FILE", "Do what the lines of a file say; - for standard input", []),
        .. OfProtocols(static (_, _) => true),
    ];

    /// <summary>Those that a command takes.</summary>
    internal static IReadOnlyList<TakenOption> Of(CommandKind command) =>
    [
        .. General.Where(one => LongNames(one.Letter).Any(name => LegalOptions.General.Takes(name, command)))
            .Select(static one => Of(one.Letter, one.Value, one.Meaning, one.Words)),
        .. OfProtocols((protocol, name) => protocol.Legal!.Takes(name, command)),
    ];

    private static IEnumerable<string> LongNames(char letter) =>
        LongOption.General.Where(option => option.Value == letter).Select(static option => option.Name);

    private static TakenOption Of(char letter, string? value, string meaning, string[] words)
    {
        IEnumerable<string> names = LongNames(letter).Select(static name => $"--{name}");
        return new TakenOption([.. names, .. char.IsAsciiLetter(letter) ? [$"-{letter}"] : (string[])[]], value, meaning, words);
    }

    /// <summary>An option for each meaning, with the names that protocols have for it; GRE's keys are options of their own.</summary>
    private static IEnumerable<TakenOption> OfProtocols(Func<ProtocolSyntax, string, bool> isTaken)
    {
        foreach ((ProtocolOption option, string value, string meaning, string[] words) in OfProtocol)
        {
            string[] names = Names(option, static protocol => protocol.Number != IpProtocol.Gre, isTaken);
            if (names.Length > 0)
                yield return new TakenOption(names, value, meaning, words);
            string[] keys = Names(option, static protocol => protocol.Number == IpProtocol.Gre, isTaken);
            if (keys.Length > 0)
                yield return new TakenOption(keys, "KEY", meaning.Replace(" port", " key of GRE", StringComparison.Ordinal), []);
        }
    }

    private static string[] Names(ProtocolOption option, Func<ProtocolSyntax, bool> isMeant, Func<ProtocolSyntax, string, bool> isTaken) =>
    [
        .. ProtocolSyntax.All.Where(isMeant)
            .Select(protocol => (protocol, Names: protocol.LongNames.Where(one => one.Option == option).Select(static one => one.Name)))
            .Where(one => one.Names.Any(name => isTaken(one.protocol, name)))
            .SelectMany(static one => one.Names).Select(static name => $"--{name}").Distinct(StringComparer.Ordinal),
    ];
}
