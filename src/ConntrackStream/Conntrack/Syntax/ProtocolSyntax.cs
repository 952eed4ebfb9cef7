using ConntrackStream.EventTap.Model;
using static ConntrackStream.Service.Conntrack.Syntax.ProtocolOption;

namespace ConntrackStream.Service.Conntrack.Syntax;

/// <summary>A protocol's own options: their names, which commands take them, and their help.</summary>
/// <param name="Name">After -p, in any case.</param>
/// <param name="LongNames">An option may have several; the first is the one that faults name.</param>
/// <param name="Legal">By the bit that an option has in <paramref name="Options"/>; null for a protocol without options.</param>
internal sealed record ProtocolSyntax(
    string Name, IpProtocol Number, ProtocolOption[] Options, (string Name, ProtocolOption Option)[] LongNames, LegalOptions? Legal,
    string[] Help)
{
    private static readonly (string Name, ProtocolOption Option)[] PortNames =
    [
        ("orig-port-src", SourcePort), ("sport", SourcePort), ("orig-port-dst", DestinationPort), ("dport", DestinationPort),
        ("reply-port-src", ReplySourcePort), ("reply-port-dst", ReplyDestinationPort), ("mask-port-src", MaskSourcePort),
        ("mask-port-dst", MaskDestinationPort), ("tuple-port-src", TupleSourcePort), ("tuple-port-dst", TupleDestinationPort),
    ];

    private static readonly string[] PortHelp =
    [
        "orig-port-src\t\toriginal source port", "orig-port-dst\t\toriginal destination port", "reply-port-src\t\treply source port",
        "reply-port-dst\t\treply destination port", "mask-port-src\t\tmask source port", "mask-port-dst\t\tmask destination port",
        "tuple-port-src\t\texpectation tuple src port", "tuple-port-src\t\texpectation tuple dst port",
    ];

    private static readonly ProtocolOption[] StatePorts =
    [
        SourcePort, DestinationPort, ReplySourcePort, ReplyDestinationPort, MaskSourcePort, MaskDestinationPort, State, TupleSourcePort,
        TupleDestinationPort,
    ];

    private static readonly ProtocolOption[] Ports = [.. StatePorts.Where(static option => option != State)];

    /// <summary>Those with options of their own.</summary>
    internal static ProtocolSyntax[] All { get; } =
    [
        WithState("tcp", IpProtocol.Tcp, [], [], "TCP state, fe. ESTABLISHED", create: "", update: "", expect: ""),
        WithPorts("udp", IpProtocol.Udp), WithPorts("udplite", IpProtocol.UdpLite),
        WithState(
            "sctp", IpProtocol.Sctp, [("orig-vtag", OriginalTag), ("reply-vtag", ReplyTag)],
            ["orig-vtag\t\toriginal verification tag", "reply-vtag\t\treply verification tag"], "SCTP state, fe. ESTABLISHED",
            create: "!!", update: "++", expect: "!!"),
        WithState(
            "dccp", IpProtocol.Dccp, [("role", Role)], [], "DCCP state, fe. RESPOND", create: "!", update: "-", expect: "!",
            replyFault: "you have to specify `--reply-port-src' and `--report-port-dst'"),
        Icmp("icmp", IpProtocol.Icmp), Icmp("icmpv6", IpProtocol.IcmpV6), Gre(),
    ];

    /// <summary>A protocol without options, by its number.</summary>
    internal static ProtocolSyntax Other(IpProtocol number) => new("unknown", number, [], [], null, ["  no options (unsupported)"]);

    private static ProtocolSyntax WithPorts(string name, IpProtocol number) => new(
        name, number, Ports, PortNames, Rules(
            ["sport", "dport", "reply-port-src", "reply-port-dst", "mask-port-src", "mask-port-dst", "tuple-port-src", "tuple-port-dst"],
            "you have to specify `--sport' and `--dport'", "you have to specify `--reply-src-port' and `--reply-dst-port'")
            .For(CommandKind.List, "++++").For(CommandKind.Create, "2222").For(CommandKind.Add, "2222").For(CommandKind.Update, "++++")
            .For(CommandKind.Delete, "++++").For(CommandKind.Get, "2222").For(CommandKind.Event, "++++")
            .For(CommandKind.ExpectCreate, "!!--!!!!").For(CommandKind.ExpectDelete, "!!!!").For(CommandKind.ExpectGet, "!!!!"),
        Dashed(PortHelp));

    private static ProtocolSyntax WithState(
        string name, IpProtocol number, (string Name, ProtocolOption Option)[] more, string[] moreHelp, string stateHelp, string create,
        string update, string expect, string replyFault = "you have to specify `--reply-src-port' and `--reply-dst-port'") => new(
        name, number, [.. StatePorts, .. more.Select(static option => option.Option)], [.. PortNames, ("state", State), .. more], Rules(
            [
                "sport", "dport", "reply-port-src", "reply-port-dst", "mask-port-src", "mask-port-dst", "state", "tuple-port-src",
                "tuple-port-dst", .. more.Select(static option => option.Name),
            ],
            "you have to specify `--sport' and `--dport'", replyFault)
            .For(CommandKind.List, "++++--+").For(CommandKind.Create, "2222--!--" + create).For(CommandKind.Add, "2222--!--" + create)
            .For(CommandKind.Update, "++++--+--" + update).For(CommandKind.Delete, "++++--+")
            .For(CommandKind.Get, "2222--+--" + update).For(CommandKind.Event, "++++--+")
            .For(CommandKind.ExpectCreate, "!!--!!-!!" + expect).For(CommandKind.ExpectDelete, "!!!!")
            .For(CommandKind.ExpectGet, "!!!!"),
        Dashed([.. PortHelp, $"state\t\t\t{stateHelp}", .. moreHelp]));

    private static ProtocolSyntax Icmp(string name, IpProtocol number) => new(
        name, number, [IcmpType, IcmpCode, IcmpId], [($"{name}-type", IcmpType), ($"{name}-code", IcmpCode), ($"{name}-id", IcmpId)],
        new LegalOptions([$"{name}-type", $"{name}-code", $"{name}-id"])
            .For(CommandKind.List, "+++").For(CommandKind.Create, "!!+").For(CommandKind.Add, "!!+").For(CommandKind.Update, "+++")
            .For(CommandKind.Delete, "+++").For(CommandKind.Get, "!!+").For(CommandKind.Event, "+++"),
        Dashed([$"{name}-type\t\t\t{name} type", $"{name}-code\t\t\t{name} code", $"{name}-id\t\t\t{name} id"]));

    private static ProtocolSyntax Gre() => new(
        "gre", IpProtocol.Gre, Ports,
        [
            ("orig-key-src", SourcePort), ("srckey", SourcePort), ("orig-key-dst", DestinationPort), ("dstkey", DestinationPort),
            .. PortNames[4..].Select(static option => (option.Name.Replace("port", "key", StringComparison.Ordinal), option.Option)),
        ],
        Rules(
            ["srckey", "dstkey", "reply-key-src", "reply-key-dst", "mask-key-src", "mask-key-dst", "tuple-key-src", "tuple-key-dst"],
            "you have to specify `--srckey' and `--dstkey'", "you have to specify `--reply-src-key' and `--reply-dst-key'")
            .For(CommandKind.List, "++++").For(CommandKind.Create, "2222").For(CommandKind.Add, "2222").For(CommandKind.Update, "++++")
            .For(CommandKind.Delete, "++++").For(CommandKind.Get, "2222").For(CommandKind.Event, "++++")
            .For(CommandKind.ExpectCreate, "!!!!!!!!").For(CommandKind.ExpectDelete, "!!!!").For(CommandKind.ExpectGet, "!!!!"),
        Dashed([.. PortHelp.Select(static line => line.Replace("port", "key", StringComparison.Ordinal))]));

    private static LegalOptions Rules(string[] names, string originalFault, string replyFault) =>
        new(names, (0b0011, originalFault), (0b1100, replyFault));

    private static string[] Dashed(string[] lines) => [.. lines.Select(static line => $"  --{line}")];
}
