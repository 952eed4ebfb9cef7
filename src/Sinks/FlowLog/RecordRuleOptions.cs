using System.ComponentModel.DataAnnotations;
using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>Rules by which every log and exporter chooses records.</summary>
public abstract class RecordRuleOptions : IOptionSection, IValidatableObject
{
    /// <summary>
    /// Rules of which a record must meet one, such as: event end proto tcp dst 192.0.2.0/24 dport 8000-8100. A word given again adds an
    /// alternative. Empty: all. Gaps are always written.
    /// </summary>
    public string[] Allow { get; set; } = [];

    /// <summary>Rules of which a record may meet none, as in Allow. Gaps are always written.</summary>
    public string[] Deny { get; set; } = [];

    /// <summary>What is wrong in this section itself; each result's message completes "key: value …".</summary>
    public virtual IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
        RuleProblems(Allow, nameof(Allow)).Concat(RuleProblems(Deny, nameof(Deny)));

    private static IEnumerable<ValidationResult> RuleProblems(string[] rules, string key)
    {
        foreach (string rule in rules)
        {
            if (!RecordRuleText.TryParse(rule, out _, out string? error))
                yield return new ValidationResult($"is refused: {error}", [key]);
        }
    }
}
