using System.ComponentModel.DataAnnotations;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Otlp.Records;

namespace ConntrackStream.Sinks.Otlp.Options;

/// <summary><c>Otlp</c>: records and metrics to an OpenTelemetry collector (docs/otlp.md).</summary>
public sealed class OtlpOptions : RecordChoiceOptions
{
    private const int LeastRequest = 64 << 10, MostRequest = 4 << 20; // gRPC servers take 4 MiB unless told otherwise

    /// <summary>Send to an OpenTelemetry collector.</summary>
    public bool Enabled { get; set; }

    /// <summary>
    /// The collector: http://HOST:PORT or https://HOST:PORT, usually port 4318 for http and 4317 for grpc. With http, /v1/logs and
    /// /v1/metrics are appended.
    /// </summary>
    public string Endpoint { get; set; } = "http://127.0.0.1:4318";

    /// <summary>http (Protocol Buffers over HTTP/1.1) or grpc.</summary>
    public OtlpProtocol Protocol { get; set; } = OtlpProtocol.Http;

    /// <summary>Send flow records as logs.</summary>
    public bool Logs { get; set; } = true;

    /// <summary>Send the service's metrics.</summary>
    public bool Metrics { get; set; } = true;

    /// <summary>How often metrics are sent.</summary>
    [DurationRange("00:00:01", "01:00:00")]
    public TimeSpan MetricsInterval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>none or gzip.</summary>
    public OtlpCompression Compression { get; set; } = OtlpCompression.None;

    /// <summary>How long a connection and the answer to a request may take. After it the request is sent again.</summary>
    [DurationRange("00:00:00.100", "00:05:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a record waits for others at most, before its request is sent.</summary>
    [DurationRange("00:00:00.010", "00:01:00")]
    public TimeSpan Linger { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest request, before compression.</summary>
    public long MaxRequestBytes { get; set; } = 512L << 10;

    /// <summary>Memory for requests that the collector has not accepted. When it is full, new records are dropped.</summary>
    public long MemoryBytes { get; set; } = 64L << 20;

    /// <summary>Headers of each request, such as X-Scope-OrgID: tenant. Secrets belong in a file.</summary>
    public string[] Headers { get; set; } = [];

    /// <summary>File with more headers, one on a line. Like TokenFile, it is read for each request.</summary>
    public string? HeadersFile { get; set; }

    /// <summary>File with a token, sent as Authorization: Bearer TOKEN.</summary>
    public string? TokenFile { get; set; }

    /// <summary>
    /// Attributes of the resource, such as deployment.environment.name=production; they replace those of the service with the same name.
    /// </summary>
    public string[] ResourceAttributes { get; set; } = [];

    /// <summary>
    /// Add client.* and server.* with the values of source.* and destination.*: who sent a flow's first packet is its client.
    /// </summary>
    public bool ClientServer { get; set; }

    /// <summary>
    /// Attributes of a record, and body; a name also stands for those below it (conntrack.nat). Empty: all, client.* and server.* by
    /// ClientServer.
    /// </summary>
    public string[] Fields { get; set; } = [];

    /// <summary>Certificates for a collector at https://.</summary>
    public OtlpTlsOptions Tls { get; set; } = new();

    /// <inheritdoc/>
    public override IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (EndpointProblem() is { } endpoint)
            yield return new ValidationResult(endpoint, [nameof(Endpoint)]);
        if (MaxRequestBytes is < LeastRequest or > MostRequest)
            yield return new ValidationResult("must be from 64 KiB to 4 MiB", [nameof(MaxRequestBytes)]);
        if (MemoryBytes < 2 * MaxRequestBytes || MemoryBytes > 1L << 36)
            yield return new ValidationResult("must be from twice MaxRequestBytes to 64 GiB", [nameof(MemoryBytes)]);
        foreach (string header in Headers)
        {
            if (!HeaderText.TryParse(header, out _, out string? error))
                yield return new ValidationResult(error, [nameof(Headers)]);
        }

        foreach (string attribute in ResourceAttributes)
        {
            if (attribute.IndexOf('=', StringComparison.Ordinal) is var equals && (equals <= 0 || equals == attribute.Length - 1))
                yield return new ValidationResult($"must be as in name=value, not '{attribute}'", [nameof(ResourceAttributes)]);
        }

        foreach (ValidationResult problem in FieldProblems(OtlpFields.Vocabulary, Fields, nameof(Fields), isUnwanted: false)
            .Concat(FieldProblems(OtlpFields.Vocabulary, ExcludeFields, nameof(ExcludeFields), isUnwanted: true))
            .Concat(base.Validate(validationContext)))
            yield return problem;
    }

    /// <summary>What is in a record.</summary>
    internal RecordFields ChosenFields()
    {
        ulong roles = ClientServer ? OtlpFields.Roles : 0;
        ulong wanted = Fields.Length == 0 ? OtlpFields.Usual : OtlpFields.Vocabulary.Choose(Fields, []).Bits;
        ulong unwanted = ExcludeFields.Length == 0 ? 0 : OtlpFields.Vocabulary.Choose(ExcludeFields, []).Bits;
        return new RecordFields((wanted | roles) & ~unwanted);
    }

    private string? EndpointProblem()
    {
        if (!Uri.TryCreate(Endpoint, UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("http" or "https") || uri.Host.Length == 0)
            return "must be as in http://127.0.0.1:4318 or https://collector.example.net:4318";
        if (uri.UserInfo.Length > 0)
            return "must not have a user: put the header Authorization into Otlp:HeadersFile";
        if (uri.Query.Length > 0 || uri.Fragment.Length > 0)
            return "must end with its path";
        if (uri.AbsolutePath.TrimEnd('/').EndsWith("/v1/logs", StringComparison.Ordinal)
            || uri.AbsolutePath.TrimEnd('/').EndsWith("/v1/metrics", StringComparison.Ordinal))
            return "must be without /v1/logs or /v1/metrics, which are appended";
        if (Protocol == OtlpProtocol.Grpc && uri.AbsolutePath != "/")
            return "must not have a path with Otlp:Protocol=grpc";
        return uri.Scheme == "http" && Tls.IsConfigured ? "must begin with https:// since Otlp:Tls is set" : null;
    }
}
