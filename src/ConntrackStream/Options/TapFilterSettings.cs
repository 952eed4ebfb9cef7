using System.ComponentModel.DataAnnotations;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Configuration;

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

    /// <summary>The filter; texts that are invalid (and were refused before) are left out.</summary>
    internal FlowFilter Build() => new()
    {
        Protocols = [.. Protocols.SelectMany(
            static text => FilterText.TryParseProtocol(text, out IpProtocol protocol, out _) ? new[] { protocol } : [])],
        Addresses = [.. Addresses.SelectMany(static text => IpPrefix.TryParse(text, out IpPrefix prefix, out _) ? new[] { prefix } : [])],
        Zones = [.. Zones],
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
    }
}
