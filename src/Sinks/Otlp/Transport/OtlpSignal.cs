using ConntrackStream.Sinks.Otlp.Options;

namespace ConntrackStream.Sinks.Otlp.Transport;

/// <summary>What is sent: a path of its own for each.</summary>
/// <param name="Name">For messages.</param>
/// <param name="HttpPath">Behind that of the endpoint.</param>
/// <param name="GrpcPath">The method.</param>
internal sealed record OtlpSignal(string Name, string HttpPath, string GrpcPath)
{
    internal static OtlpSignal Logs { get; } =
        new("logs", "/v1/logs", "/opentelemetry.proto.collector.logs.v1.LogsService/Export");

    internal static OtlpSignal Metrics { get; } =
        new("metrics", "/v1/metrics", "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export");

    /// <summary>Where it goes.</summary>
    internal Uri At(OtlpOptions options)
    {
        UriBuilder uri = new(options.Endpoint);
        uri.Path = uri.Path.TrimEnd('/') + (options.Protocol == OtlpProtocol.Grpc ? GrpcPath : HttpPath);
        return uri.Uri;
    }
}
