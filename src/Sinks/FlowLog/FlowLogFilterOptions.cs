using System.Collections.Immutable;
using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>
/// <c>FlowLog:Filter</c>: a flow is logged if it meets <see cref="Include"/> and not <see cref="Exclude"/>. An Exclude without any
/// condition excludes nothing.
/// </summary>
public sealed class FlowLogFilterOptions : IOptionSection
{
    public FlowConditions Include { get; set; } = new();

    public FlowConditions Exclude { get; set; } = new();

    internal FlowPredicate? Build()
    {
        FlowFilter include = Include.Build(), exclude = Exclude.Build();
        return (include.IsEmpty, exclude.IsEmpty) switch
        {
            (true, true) => null,
            (false, true) => include.Matches,
            (true, false) => (in Flow flow) => !exclude.Matches(flow),
            _ => (in Flow flow) => include.Matches(flow) && !exclude.Matches(flow),
        };
    }
}

/// <summary>
/// Conditions as conntrack-tools spells them: every list that is not empty must be met by one of its elements. Default none.
/// Each record is judged by itself: a condition on mark, state or status may hold for a flow's end and not yet for its start.
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

    /// <summary>Original source ports.</summary>
    public ushort[] SourcePorts { get; set; } = [];

    /// <summary>Original destination ports.</summary>
    public ushort[] DestinationPorts { get; set; } = [];

    /// <summary>Conntrack zones.</summary>
    public ushort[] Zones { get; set; } = [];

    /// <summary>ignore, any, source, destination or both.</summary>
    public NatMatch Nat { get; set; }

    /// <summary>value or value/mask.</summary>
    public string? Mark { get; set; }

    /// <summary>TCP state, such as ESTABLISHED.</summary>
    public string? State { get; set; }

    /// <summary>Status names with commas, such as ASSURED or !SEEN_REPLY.</summary>
    public string? Status { get; set; }

    private delegate bool Parse<T>(string? text, out T value, [NotNullWhen(false)] out string? error);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        List<ValidationResult> problems = [];
        Build(problems);
        return problems;
    }

    internal FlowFilter Build() => Build([]);

    private FlowFilter Build(List<ValidationResult> problems) => new()
    {
        Family = One<FlowFamily>(Family, FilterText.TryParseFamily, nameof(Family), problems) ?? FlowFamily.Unspecified,
        Protocols = All<IpProtocol>(Protocols, FilterText.TryParseProtocol, nameof(Protocols), problems),
        Sources = All<IpPrefix>(Sources, IpPrefix.TryParse, nameof(Sources), problems),
        Destinations = All<IpPrefix>(Destinations, IpPrefix.TryParse, nameof(Destinations), problems),
        Addresses = All<IpPrefix>(Addresses, IpPrefix.TryParse, nameof(Addresses), problems),
        SourcePorts = [.. SourcePorts],
        DestinationPorts = [.. DestinationPorts],
        Zones = [.. Zones],
        Nat = Nat,
        Mark = One<MarkMatch>(Mark, MarkMatch.TryParse, nameof(Mark), problems),
        State = One<TcpState>(State, FilterText.TryParseState, nameof(State), problems),
        Status = One<StatusMatch>(Status, StatusMatch.TryParse, nameof(Status), problems),
    };

    private static T? One<T>(string? text, Parse<T> parse, string member, List<ValidationResult> problems)
        where T : struct => string.IsNullOrEmpty(text) ? null : All([text], parse, member, problems) is [T only] ? only : null;

    private static ImmutableArray<T> All<T>(string[] texts, Parse<T> parse, string member, List<ValidationResult> problems)
    {
        ImmutableArray<T>.Builder all = ImmutableArray.CreateBuilder<T>(texts.Length);
        foreach (string text in texts)
        {
            if (parse(text, out T value, out string? error))
                all.Add(value);
            else
                problems.Add(new ValidationResult($"is refused: {error}", [member]));
        }

        return all.ToImmutable();
    }
}
