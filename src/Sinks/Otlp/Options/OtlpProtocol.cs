namespace ConntrackStream.Sinks.Otlp.Options;

/// <summary>How requests reach the collector.</summary>
public enum OtlpProtocol
{
    /// <summary>Protocol Buffers over HTTP/1.1: OTLP/HTTP.</summary>
    Http,

    /// <summary>gRPC, over HTTP/2.</summary>
    Grpc,
}

/// <summary>How requests are compressed.</summary>
public enum OtlpCompression
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>With gzip.</summary>
    Gzip,
}
