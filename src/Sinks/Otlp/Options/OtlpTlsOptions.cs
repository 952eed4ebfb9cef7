using System.ComponentModel.DataAnnotations;
using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Sinks.Otlp.Options;

/// <summary>
/// <c>Otlp:Tls</c>: certificates for a collector at https://. The collector's must be valid for the host of Otlp:Endpoint.
/// </summary>
public sealed class OtlpTlsOptions : IOptionSection, IValidatableObject
{
    /// <summary>PEM file with the authorities that may have signed the collector's certificate. null: those of the system.</summary>
    public string? CaFile { get; set; }

    /// <summary>PEM file with the certificate that the service shows, and those between it and an authority. null: none.</summary>
    public string? CertificateFile { get; set; }

    /// <summary>PEM file with its key.</summary>
    public string? KeyFile { get; set; }

    internal bool IsConfigured => CaFile is not null || CertificateFile is not null;

    /// <summary>What is wrong; each result's message completes "key: value …".</summary>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (string.IsNullOrEmpty(CertificateFile) != string.IsNullOrEmpty(KeyFile))
            yield return new ValidationResult("must be given together with Otlp:Tls:CertificateFile", [nameof(KeyFile)]);
    }
}
