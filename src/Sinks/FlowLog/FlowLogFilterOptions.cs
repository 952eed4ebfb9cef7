using System.ComponentModel.DataAnnotations;
using System.Globalization;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Sinks.Filtering;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>
/// <c>FlowLog:Filter</c>: a flow is logged if it meets <see cref="Include"/> and not <see cref="Exclude"/>. An Exclude without any
/// condition excludes nothing.
/// </summary>
public sealed class FlowLogFilterOptions : IOptionSection
{
    public FlowConditions Include { get; set; } = new();

    public FlowConditions Exclude { get; set; } = new();
}

/// <summary>
/// Conditions as conntrack-tools spells them: every list that is not empty must be met by one of its elements. Default none.
/// Of a flow's marks the first record that is written decides, unless a condition on state or status is given, too: these may hold for a
/// flow's end and not yet for its start.
/// </summary>
public sealed class FlowConditions : IOptionSection, IValidatableObject
{
    /// <summary>ipv4 or ipv6. null: both.</summary>
    public string? Family { get; set; }

    /// <summary>Names or numbers: tcp, udp, icmp, 47.</summary>
    public string[] Protocols { get; set; } = [];

    /// <summary>Addresses or prefixes of the original source.</summary>
    public string[] Sources { get; set; } = [];

    /// <summary>Addresses or prefixes of the original destination.</summary>
    public string[] Destinations { get; set; } = [];

    /// <summary>Addresses or prefixes of any end of either tuple.</summary>
    public string[] Addresses { get; set; } = [];

    /// <summary>Original source ports, or ranges such as 8000-8100.</summary>
    public string[] SourcePorts { get; set; } = [];

    /// <summary>Original destination ports, or ranges.</summary>
    public string[] DestinationPorts { get; set; } = [];

    /// <summary>Conntrack zones.</summary>
    public ushort[] Zones { get; set; } = [];

    /// <summary>ignore, any, source, destination or both.</summary>
    public NatMatch Nat { get; set; }

    /// <summary>Marks, each value, value/mask or first-last; several with commas.</summary>
    public string? Mark { get; set; }

    /// <summary>States of TCP, SCTP or DCCP with commas, such as ESTABLISHED.</summary>
    public string? State { get; set; }

    /// <summary>Status names with commas, such as ASSURED or !SEEN_REPLY.</summary>
    public string? Status { get; set; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        List<ValidationResult> problems = [];
        Build(problems);
        return problems;
    }

    internal FlowFilter Build() => Build([]);

    private FlowFilter Build(List<ValidationResult> problems)
    {
        FilterDraft draft = new();
        foreach ((string member, string condition, string[] texts) in Given())
        {
            foreach (string text in texts)
            {
                if (FilterConditions.Find(condition)!.Add(draft, text) is { } problem)
                    problems.Add(new ValidationResult($"is refused: {problem}", [member]));
            }
        }

        return draft.Filter with { Nat = Nat };
    }

    private IEnumerable<(string Member, string Condition, string[] Texts)> Given() =>
    [
        (nameof(Family), "family", One(Family)),
        (nameof(Protocols), "proto", Protocols),
        (nameof(Sources), "src", Sources),
        (nameof(Destinations), "dst", Destinations),
        (nameof(Addresses), "addr", Addresses),
        (nameof(SourcePorts), "sport", SourcePorts),
        (nameof(DestinationPorts), "dport", DestinationPorts),
        (nameof(Zones), "zone", [.. Zones.Select(static zone => zone.ToString(CultureInfo.InvariantCulture))]),
        (nameof(Mark), "mark", One(Mark)),
        (nameof(State), "state", One(State)),
        (nameof(Status), "status", One(Status)),
    ];

    private static string[] One(string? text) => string.IsNullOrEmpty(text) ? [] : [text];
}
