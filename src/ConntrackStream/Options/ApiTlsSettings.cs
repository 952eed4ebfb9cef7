using System.ComponentModel.DataAnnotations;
using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Service.Options;

/// <summary><c>Api:Tls</c>: the certificate of the addresses in <c>Api:Listen</c>.</summary>
public sealed class ApiTlsSettings : IOptionSection, IValidatableObject
{
    /// <summary>
    /// PEM file with the certificate, and those between it and an authority. Read again at SIGHUP, with the key. null: no TLS.
    /// </summary>
    public string? CertificateFile { get; set; }

    /// <summary>PEM file with its key.</summary>
    public string? KeyFile { get; set; }

    internal bool IsConfigured => !string.IsNullOrEmpty(CertificateFile) && !string.IsNullOrEmpty(KeyFile);

    /// <summary>What is wrong; each result's message completes "key: value …".</summary>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (string.IsNullOrEmpty(CertificateFile) != string.IsNullOrEmpty(KeyFile))
            yield return new ValidationResult("must be given together with Api:Tls:CertificateFile", [nameof(KeyFile)]);
    }
}
