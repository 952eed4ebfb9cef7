namespace ConntrackStream.Service.Verbs.Top;

/// <summary>What the key <c>?</c> shows.</summary>
internal static class TopHelp
{
    internal static IReadOnlyList<string> Lines { get; } =
    [
        "1 2 3 4, Tab     flows, sources, destinations, services",
        "s                sort by bytes a second, packets a second, bytes, age or flows",
        "r                the least first",
        "/                filter, as for list: -p tcp --dport 443 -s 10.0.0.0/8; empty for none",
        "p                pause, go on",
        "+ -              a longer or shorter interval",
        "arrows, j k      scroll; PgUp PgDn Home End",
        "q, Ctrl-C        quit",
        "Any key leads back.",
    ];
}
