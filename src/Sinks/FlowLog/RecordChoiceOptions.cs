using System.ComponentModel.DataAnnotations;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>Which records there are and what is in them, the same for every way to write them.</summary>
public abstract class RecordChoiceOptions : RecordRuleOptions
{
    /// <summary>Kinds of records: start, end, update (a change, or the report of a long flow). Gaps are always written.</summary>
    public FlowLogEvent[] Events { get; set; } = [FlowLogEvent.Start, FlowLogEvent.End, FlowLogEvent.Update];

    /// <summary>Fields to leave out, named as in Fields.</summary>
    public string[] ExcludeFields { get; set; } = [];

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
    /// Add community_id to each record, and reply_community_id where NAT made it another; each costs as much CPU as the rest.
    /// </summary>
    public bool CommunityId { get; set; }

    /// <inheritdoc/>
    public override IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Events.Length == 0)
            yield return new ValidationResult("must have at least one of start, end, update", [nameof(Events)]);
        foreach (ValidationResult problem in base.Validate(validationContext))
            yield return problem;
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

    /// <param name="vocabulary">Of the format.</param>
    /// <param name="names">A list of fields.</param>
    /// <param name="key">Its property.</param>
    /// <param name="isUnwanted">They are to be left out.</param>
    private protected static IEnumerable<ValidationResult> FieldProblems(
        FieldVocabulary vocabulary, string[] names, string key, bool isUnwanted) =>
        names.Select(name => vocabulary.ProblemOf(name, isUnwanted)).OfType<string>()
            .Select(problem => new ValidationResult($"is refused: {problem}", [key]));
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
