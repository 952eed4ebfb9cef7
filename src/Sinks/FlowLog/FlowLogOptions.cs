using System.ComponentModel.DataAnnotations;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary><c>FlowLog</c>: which flows are logged, how and where.</summary>
public sealed class FlowLogOptions : IOptionSection, IValidatableObject
{
    /// <summary>Write one at all.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>
    /// A file, made with mode 0640 in a directory that exists, or - for standard output. Symbolic links, FIFOs and devices are refused.
    /// </summary>
    public string Path { get; set; } = StandardOutputPath;

    /// <summary>json (one object a line) or text (as conntrack -E).</summary>
    public FlowLogFormat Format { get; set; } = FlowLogFormat.Json;

    /// <summary>Kinds of records: start, end, update (a change, or the report of a long flow). Gaps are always written.</summary>
    public FlowLogEvent[] Events { get; set; } = [FlowLogEvent.Start, FlowLogEvent.End, FlowLogEvent.Update];

    /// <summary>The records' host. null: the machine's name.</summary>
    public string? Host { get; set; }

    /// <summary>
    /// Prefixes that are inside, such as 10.0.0.0/8: from there to elsewhere is egress, the other way ingress, between them internal,
    /// neither end forward. Empty: unknown.
    /// </summary>
    public string[] LocalNetworks { get; set; } = [];

    /// <summary>
    /// Marks that give the direction before LocalNetworks does: value/mask=direction, such as 0x10/0xf0=ingress; of several that match, the
    /// one with the most mask bits.
    /// </summary>
    public string[] MarkDirections { get; set; } = [];

    /// <summary>
    /// Add community_id to each record, for correlation with other tools; its hash costs about as much CPU as the rest of the record.
    /// </summary>
    public bool CommunityId { get; set; }

    /// <summary>Which flows.</summary>
    public FlowLogFilterOptions Filter { get; set; } = new();

    /// <summary>When the file is rotated.</summary>
    public RotationOptions Rotation { get; set; } = new();

    internal const string StandardOutputPath = "-";

    internal bool IsStandardOutput => Path == StandardOutputPath;

    /// <summary>What is wrong in this section itself; each result's message completes "key: value …".</summary>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Path.Length == 0 || (!IsStandardOutput && (Path.EndsWith('/') || Path.Contains('\0', StringComparison.Ordinal))))
            yield return new ValidationResult("must be the path of a file, or - for standard output", [nameof(Path)]);
        if (Events.Length == 0)
            yield return new ValidationResult("must have at least one of start, end, update", [nameof(Events)]);
        if (Host is { Length: 0 or > 255 })
            yield return new ValidationResult("must have 1 to 255 characters", [nameof(Host)]);
        foreach (string network in LocalNetworks)
        {
            if (!IpPrefix.TryParse(network, out _, out string? error))
                yield return new ValidationResult($"must be prefixes such as 10.0.0.0/8: {error}", [nameof(LocalNetworks)]);
        }

        foreach (string rule in MarkDirections)
        {
            if (!MarkDirection.TryParse(rule, out _, out string? error))
                yield return new ValidationResult($"must be rules such as 0x1bd10/0xfffff0=ingress: {error}", [nameof(MarkDirections)]);
        }
    }

    /// <summary>As configured; what is invalid is left out (it was refused before).</summary>
    internal FlowDirections Directions() => new(
        LocalNetworks.SelectMany(text => IpPrefix.TryParse(text, out IpPrefix prefix, out _) ? new[] { prefix } : []),
        MarkDirections.SelectMany(text =>
            MarkDirection.TryParse(text, out KeyValuePair<MarkMatch, FlowDirection> rule, out _) ? new[] { rule } : []));
}

/// <summary>How records are written.</summary>
public enum FlowLogFormat
{
    /// <summary>NDJSON.</summary>
    Json,

    /// <summary>The lines of <c>conntrack -E</c>.</summary>
    Text,
}

/// <summary>Kinds of records that can be chosen.</summary>
public enum FlowLogEvent
{
    /// <summary>A flow began, or was found by a dump.</summary>
    Start,

    /// <summary>A flow is over.</summary>
    End,

    /// <summary>A flow changed, or is reported on while it lasts.</summary>
    Update,
}
