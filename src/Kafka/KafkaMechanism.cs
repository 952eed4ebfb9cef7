namespace ConntrackStream.Kafka;

/// <summary>Of SASL.</summary>
public enum KafkaMechanism
{
    /// <summary>SCRAM-SHA-512: the password is not sent.</summary>
    ScramSha512,

    /// <summary>SCRAM-SHA-256: the password is not sent.</summary>
    ScramSha256,

    /// <summary>PLAIN: the password is sent.</summary>
    Plain,
}
