using System.ComponentModel.DataAnnotations;
using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Sinks.Nats;

/// <summary>
/// <c>Nats:Tls</c>: with one of these keys, or a server of tls://, the connection is encrypted or not made. The server's certificate must
/// be valid for the name in Nats:Servers.
/// </summary>
public sealed class NatsTlsOptions : IOptionSection, IValidatableObject
{
    /// <summary>Authorities that may have signed the server's certificate, PEM. null: those of the system.</summary>
    public string? CaFile { get; set; }

    /// <summary>Own certificate, PEM, for servers that verify their clients.</summary>
    public string? CertificateFile { get; set; }

    /// <summary>Key of the certificate, PEM.</summary>
    public string? KeyFile { get; set; }

    internal bool IsConfigured => CaFile is not null || CertificateFile is not null;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (CertificateFile is null != KeyFile is null)
            yield return new ValidationResult("must be given with KeyFile, and only with it", [nameof(CertificateFile)]);
    }
}
