namespace ConntrackStream.Service.Conntrack.Syntax;

/// <summary>Whether a long option takes an argument, as getopt_long(3) numbers it.</summary>
internal enum Argument
{
    None = 0,
    Required = 1,
    Optional = 2, // only after '='
}

/// <summary>A long option.</summary>
/// <param name="Name">Without its dashes.</param>
/// <param name="Value">
/// The character that stands for it; each protocol that is named adds 256 values, for its options.
/// </param>
internal readonly record struct LongOption(string Name, Argument Argument, int Value)
{
    /// <summary>Values from here on are options of a protocol, those of a second one from twice here on.</summary>
    internal const int OfProtocol = 256;

    /// <summary>conntrack's own, before a protocol adds its options.</summary>
    internal static LongOption[] General { get; } =
    [
        Optional("dump", 'L'), Optional("create", 'I'), Optional("add", 'A'), Optional("delete", 'D'), Optional("update", 'U'),
        Optional("get", 'G'), Optional("flush", 'F'), Optional("event", 'E'), Optional("counter", 'C'), None("stats", 'S'),
        None("version", 'V'), None("help", 'h'), Required("orig-src", 's'), Required("src", 's'), Required("orig-dst", 'd'),
        Required("dst", 'd'), Required("reply-src", 'r'), Required("reply-dst", 'q'), Required("protonum", 'p'),
        Required("timeout", 't'), Required("status", 'u'), None("zero", 'z'), Required("event-mask", 'e'), Required("tuple-src", '['),
        Required("tuple-dst", ']'), Required("mask-src", '{'), Required("mask-dst", '}'), Required("nat-range", 'a'),
        Required("mark", 'm'), Required("secmark", 'c'), Optional("id", 'i'), Required("family", 'f'), Optional("src-nat", 'n'),
        Optional("dst-nat", 'g'), Required("output", 'o'), Required("buffer-size", 'b'), Optional("any-nat", 'j'), Required("zone", 'w'),
        Required("label", 'l'), Required("label-add", '<'), Optional("label-del", '>'), Required("orig-zone", '('),
        Required("reply-zone", ')'),
    ];

    /// <summary>The first long name of a value, as faults name it.</summary>
    internal static string NameOf(int value) => Array.Find(General, option => option.Value == value).Name;

    internal static LongOption Required(string name, int value) => new(name, Argument.Required, value);

    private static LongOption Optional(string name, int value) => new(name, Argument.Optional, value);

    private static LongOption None(string name, int value) => new(name, Argument.None, value);
}
