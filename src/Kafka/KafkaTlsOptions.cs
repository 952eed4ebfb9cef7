using System.ComponentModel.DataAnnotations;
using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Kafka;

/// <summary>
/// <c>Plugins:Kafka:Tls</c>: with Enabled or one of the files, connections are encrypted or not made. The broker's certificate must be
/// valid for the name by which the broker is known.
/// </summary>
public sealed class KafkaTlsOptions : IOptionSection, IValidatableObject
{
    /// <summary>Encrypt, with the system's authorities where no CaFile is given.</summary>
    public bool Enabled { get; set; }

    /// <summary>Authorities that may have signed the brokers' certificates, PEM. null: those of the system.</summary>
    public string? CaFile { get; set; }

    /// <summary>Own certificate, PEM, for brokers that verify their clients.</summary>
    public string? CertificateFile { get; set; }

    /// <summary>Key of the certificate, PEM.</summary>
    public string? KeyFile { get; set; }

    internal bool IsUsed => Enabled || CaFile is not null || CertificateFile is not null;

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (CertificateFile is null != KeyFile is null)
            yield return new ValidationResult("must be given with KeyFile, and only with it", [nameof(CertificateFile)]);
    }
}
