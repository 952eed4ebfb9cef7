using System.ComponentModel.DataAnnotations;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Ipfix.Transport;

namespace ConntrackStream.Sinks.Ipfix;

/// <summary><c>Ipfix</c>: records of flows for IPFIX collectors (docs/ipfix.md).</summary>
public sealed class IpfixOptions : RecordRuleOptions
{
    private const int MostCollectors = 16;

    /// <summary>
    /// Where records go: udp://HOST[:4739], tcp://HOST[:4739] or tls://HOST[:4740][?name=NAME], 16 at most. NAME is what the certificate
    /// must be for, if not HOST. Empty: nowhere.
    /// </summary>
    public string[] Collectors { get; set; } = [];

    /// <summary>Observation domain id; two services behind one address need different ones.</summary>
    [Range(0, uint.MaxValue, ErrorMessage = "must be from 0 to 4294967295")]
    public long ObservationDomain { get; set; } = 1;

    /// <summary>Longest message over UDP, without the headers of IP and UDP: what the path carries without fragments.</summary>
    [Range(512, 8952, ErrorMessage = "must be from 512 to 8952")]
    public int MaxDatagramBytes { get; set; } = 1400;

    /// <summary>How often templates are sent again over UDP.</summary>
    [DurationRange("00:00:01", "1.00:00:00")]
    public TimeSpan TemplateInterval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Longest time for a connection to open, and for a collector over TCP or TLS to take nothing before it is disconnected.
    /// </summary>
    [DurationRange("00:00:00.100", "00:01:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Prefixes that are inside, such as 10.0.0.0/8: a flow from there to elsewhere is written as egress, any other as ingress.
    /// </summary>
    public string[] LocalNetworks { get; set; } = [];

    /// <summary>
    /// A record for each translated flow's beginning and end: off, session (natEvent 4 and 5, RFC 8158) or translation (1 and 2, which
    /// nfdump names).
    /// </summary>
    public IpfixNatEvents NatEvents { get; set; }

    /// <summary>Certificates for collectors over TLS.</summary>
    public IpfixTlsOptions Tls { get; set; } = new();

    /// <inheritdoc/>
    public override IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (ValidationResult problem in base.Validate(validationContext))
            yield return problem;
        if (Collectors.Length > MostCollectors)
            yield return new ValidationResult($"must be {MostCollectors} at most", [nameof(Collectors)]);
        foreach (string collector in Collectors)
        {
            if (!CollectorAddress.TryParse(collector, out _, out string? error))
                yield return new ValidationResult($"is refused: '{collector}' {error}", [nameof(Collectors)]);
        }

        foreach ((string address, int count) in Addresses().CountBy(static address => address.ToString(), StringComparer.Ordinal))
        {
            if (count > 1)
                yield return new ValidationResult($"must not have {address} twice", [nameof(Collectors)]);
        }

        foreach (string network in LocalNetworks)
        {
            if (!IpPrefix.TryParse(network, out _, out string? error))
                yield return new ValidationResult($"must be prefixes such as 10.0.0.0/8: {error}", [nameof(LocalNetworks)]);
        }
    }

    /// <summary>As configured; what is invalid is left out (it was refused before).</summary>
    internal IEnumerable<CollectorAddress> Addresses() => Collectors.SelectMany(static text =>
        CollectorAddress.TryParse(text, out CollectorAddress? address, out _) ? new[] { address } : []);

    /// <inheritdoc cref="Addresses"/>
    internal FlowDirections Directions() => new(
        LocalNetworks.SelectMany(static text => IpPrefix.TryParse(text, out IpPrefix prefix, out _) ? new[] { prefix } : []), []);
}
