using System.ComponentModel.DataAnnotations;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Sinks.Filtering;

namespace ConntrackStream.Service.Options;

/// <summary>
/// <c>Tap:Filter</c>: what the kernel delivers at all. A flow passes if it meets every list that is not empty.
/// The live view then claims no more than this.
/// </summary>
public sealed class TapFilterSettings : IOptionSection, IValidatableObject
{
    /// <summary>Names or numbers: tcp, udp, icmp, 47.</summary>
    public string[] Protocols { get; set; } = [];

    /// <summary>Addresses or prefixes of any end of either tuple.</summary>
    public string[] Addresses { get; set; } = [];

    /// <summary>Conntrack zones.</summary>
    public ushort[] Zones { get; set; } = [];

    /// <summary>
    /// Rules of which a flow must meet one, such as: proto tcp dport 443. Without mark, state and other words that can change in its life.
    /// </summary>
    public string[] Any { get; set; } = [];

    /// <summary>The filter; texts that are invalid (and were refused before) are left out.</summary>
    internal FlowFilter Build() => new()
    {
        Protocols = [.. Protocols.SelectMany(
            static text => FilterText.TryParseProtocol(text, out IpProtocol protocol, out _) ? new[] { protocol } : [])],
        Addresses = [.. Addresses.SelectMany(static text => IpPrefix.TryParse(text, out IpPrefix prefix, out _) ? new[] { prefix } : [])],
        Zones = [.. Zones],
        AnyOf = [.. Any.Select(static rule => Read(rule, out _)).OfType<FlowFilter>()],
    };

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (string text in Protocols)
        {
            if (!FilterText.TryParseProtocol(text, out _, out string? error))
                yield return new ValidationResult($"is refused: {error}", [nameof(Protocols)]);
        }

        foreach (string text in Addresses)
        {
            if (!IpPrefix.TryParse(text, out _, out string? error))
                yield return new ValidationResult($"is refused: {error}", [nameof(Addresses)]);
        }

        foreach (string rule in Any)
        {
            if (Read(rule, out string? error) is null)
                yield return new ValidationResult($"is refused: {error}", [nameof(Any)]);
        }
    }

    private static FlowFilter? Read(string rule, out string? error)
    {
        if (!FilterRule.TryParse(rule, [], out FlowFilter? filter, out error) || filter.IsStable)
            return filter;
        error = $"'{rule}' has a word that can change in a flow's life, so the view would lose the flow; filter the log by it";
        return null;
    }
}
