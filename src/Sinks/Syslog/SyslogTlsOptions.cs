using System.ComponentModel.DataAnnotations;
using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Sinks.Syslog;

/// <summary><c>Syslog:Tls</c>: how the server proves who it is, and the service to it. Files are read again at each connection.</summary>
public sealed class SyslogTlsOptions : IOptionSection, IValidatableObject
{
    /// <summary>Name or address that the server's certificate must have. null: the host of Syslog:Server.</summary>
    public string? ServerName { get; set; }

    /// <summary>Certificates (PEM) of the authorities that may have signed the server's. null: those that the machine trusts.</summary>
    public string? CaFile { get; set; }

    /// <summary>The service's own certificate (PEM), with those between it and its authority behind it. null: none.</summary>
    public string? CertificateFile { get; set; }

    /// <summary>The private key (PEM) of CertificateFile; without, it is looked for in that file.</summary>
    public string? KeyFile { get; set; }

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (ServerName is { } name && Uri.CheckHostName(name) == UriHostNameType.Unknown)
            yield return new ValidationResult("must be the name of a host or an address", [nameof(ServerName)]);
        if (KeyFile is not null && CertificateFile is null)
            yield return new ValidationResult("needs Syslog:Tls:CertificateFile", [nameof(KeyFile)]);
    }
}
