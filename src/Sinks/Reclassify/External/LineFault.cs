namespace ConntrackStream.Sinks.Reclassify.External;

/// <summary>What is wrong with a line of the external classifier.</summary>
public enum LineFault
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Over <see cref="ExternalPeer.MaxLine"/> bytes; counted again for every buffer that it goes on.</summary>
    TooLong,

    /// <summary>Not an object in JSON and UTF-8.</summary>
    NotJson,

    /// <summary>No <c>v</c>, or another than 1.</summary>
    Version,

    /// <summary>Neither <c>id</c> nor <c>reconsider</c>, a value of another type, or an answer that contradicts itself.</summary>
    NotUnderstood,

    /// <summary>An <c>id</c> that was never asked.</summary>
    UnknownId,

    /// <summary>A <c>path</c> that is none of those in the hello.</summary>
    UnknownPath,

    /// <summary>A <c>ttl_ms</c> below 1 or no whole number.</summary>
    Ttl,

    /// <summary>A <c>reconsider</c> that is no address or prefix.</summary>
    Address,
}
