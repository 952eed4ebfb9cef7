namespace ConntrackStream.Sinks.Text;

/// <summary>Which columns a conntrack line has: <c>conntrack -o</c>. The default is the tool's default.</summary>
public sealed record ConntrackTextOptions
{
    public static readonly ConntrackTextOptions Default = new();

    /// <summary><c>-o extended</c>: the layer 3 family, such as <c>ipv4     2</c>.</summary>
    public bool Extended { get; init; }

    /// <summary><c>-o id</c>: the entry's id, where the message carried it.</summary>
    public bool Id { get; init; }

    /// <summary>
    /// <c>-o timestamp</c>: the event's time (<c>[seconds.microseconds]</c> since the Unix epoch and a
    /// tab) before an event; rows have none.
    /// </summary>
    public bool Timestamp { get; init; }

    /// <summary><c>-o ktimestamp</c>: the flow's start and stop, to the second, in <see cref="TimeZone"/>.</summary>
    public bool KernelTimestamps { get; init; }

    /// <summary><c>-o labels</c>: names of the label bits; null prints none.</summary>
    public ConntrackLabels? Labels { get; init; }

    /// <summary>The zone of <see cref="KernelTimestamps"/>: the tool uses the local one.</summary>
    public TimeZoneInfo TimeZone { get; init; } = TimeZoneInfo.Local;

    /// <summary>
    /// Finds the program behind a netlink port id, for events that a program caused (<c>progname=</c>); null prints none. The tool finds it
    /// only if the program still runs: one and the same event may be printed with and without it.
    /// </summary>
    public Func<uint, string?>? ProgramName { get; init; }
}
