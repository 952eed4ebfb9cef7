namespace ConntrackStream.Kafka;

/// <summary>How messages are compressed; consumers see it in each batch and need no setting.</summary>
public enum KafkaCompression
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>DEFLATE: small, slow.</summary>
    Gzip,

    /// <summary>Fast.</summary>
    Snappy,

    /// <summary>Fast.</summary>
    Lz4,

    /// <summary>Smaller than Lz4 at some more CPU; brokers from 2.1 on.</summary>
    Zstd,
}
