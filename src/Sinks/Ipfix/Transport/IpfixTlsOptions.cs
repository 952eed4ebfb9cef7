using System.ComponentModel.DataAnnotations;
using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Sinks.Ipfix.Transport;

/// <summary><c>Ipfix:Tls</c>: certificates for collectors over TLS. The files are read for each connection.</summary>
public sealed class IpfixTlsOptions : IOptionSection, IValidatableObject
{
    /// <summary>PEM file with the authorities that may have signed a collector's certificate. null: those of the system.</summary>
    public string? CaFile { get; set; }

    /// <summary>PEM file with the certificate that the service shows, and those between it and an authority. null: none.</summary>
    public string? CertificateFile { get; set; }

    /// <summary>PEM file with its key.</summary>
    public string? KeyFile { get; set; }

    /// <summary>What is wrong; each result's message completes "key: value …".</summary>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (string.IsNullOrEmpty(CertificateFile) != string.IsNullOrEmpty(KeyFile))
            yield return new ValidationResult("must be given together with Ipfix:Tls:CertificateFile", [nameof(KeyFile)]);
    }
}
